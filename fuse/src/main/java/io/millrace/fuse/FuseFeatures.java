package io.millrace.fuse;

/**
 * What kernel and session agreed on at INIT; {@code flags} are the bits of {@link InitFlags} in
 * force.
 *
 * @param kernelMinor the kernel's protocol is 7.kernelMinor
 * @param minor the protocol spoken is 7.minor
 * @param kernelFlags what the kernel offered
 */
public record FuseFeatures(
    int kernelMinor,
    int minor,
    long kernelFlags,
    long flags,
    int maxReadaheadBytes,
    int maxWriteBytes,
    int maxPages,
    int maxBackground,
    int congestionThreshold) {

  public boolean has(long flag) {
    return (flags & flag) != 0;
  }

  /** Whether one notice can make all cached entries be looked up again (H9). */
  public boolean canIncEpoch() {
    return minor >= Wire.MINOR_INC_EPOCH;
  }

  /** Whether entries can be expired instead of dropped (H27: bind mounts survive that). */
  public boolean canExpireEntries() {
    return (kernelFlags & InitFlags.HAS_EXPIRE_ONLY) != 0;
  }

  /** Whether the kernel can send again what a former process had read (H17). */
  public boolean canResend() {
    return (kernelFlags & InitFlags.HAS_RESEND) != 0;
  }
}
