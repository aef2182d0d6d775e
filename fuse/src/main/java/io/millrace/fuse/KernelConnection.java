package io.millrace.fuse;

import io.millrace.fuse.FuseMountException.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The open descriptors of one mount and what was agreed on it: all a session needs to serve it.
 * Exists so that a supervisor can hold the descriptors and a new process go on with them (H17).
 *
 * @param mountPoint its real path
 * @param descriptors the mount's own descriptor first, then its clones
 * @param byFusermount whether it must be unmounted through fusermount3
 */
public record KernelConnection(
    Path mountPoint, List<Integer> descriptors, FuseFeatures features, boolean byFusermount) {
  private static final int FORMAT = 1;

  public KernelConnection {
    descriptors = List.copyOf(descriptors);
    if (descriptors.isEmpty()) {
      throw new IllegalArgumentException("no descriptor");
    }
  }

  /** All but the descriptors, whose numbers mean nothing to another process. */
  byte[] encoded() {
    var bytes = new ByteArrayOutputStream();
    try (var out = new DataOutputStream(bytes)) {
      out.writeInt(FORMAT);
      out.writeUTF(mountPoint.toString());
      out.writeBoolean(byFusermount);
      out.writeInt(features.kernelMinor());
      out.writeInt(features.minor());
      out.writeLong(features.kernelFlags());
      out.writeLong(features.flags());
      out.writeInt(features.maxReadaheadBytes());
      out.writeInt(features.maxWriteBytes());
      out.writeInt(features.maxPages());
      out.writeInt(features.maxBackground());
      out.writeInt(features.congestionThreshold());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** What {@link #encoded} made in another process, with the descriptors that came beside it. */
  static KernelConnection decoded(byte[] bytes, List<Integer> descriptors)
      throws FuseMountException {
    try (var in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int format = in.readInt();
      if (format != FORMAT) {
        throw new FuseMountException(
            Kind.OTHER, "the mount was made by a version that can't be followed: " + format);
      }
      Path mountPoint = Path.of(in.readUTF());
      boolean byFusermount = in.readBoolean();
      var features =
          new FuseFeatures(
              in.readInt(),
              in.readInt(),
              in.readLong(),
              in.readLong(),
              in.readInt(),
              in.readInt(),
              in.readInt(),
              in.readInt(),
              in.readInt());
      return new KernelConnection(mountPoint, descriptors, features, byFusermount);
    } catch (IOException e) {
      throw new FuseMountException(Kind.OTHER, "the mount kept is damaged: " + e.getMessage());
    }
  }
}
