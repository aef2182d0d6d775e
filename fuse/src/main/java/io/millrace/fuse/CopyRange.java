package io.millrace.fuse;

/**
 * What COPY_FILE_RANGE asks for; at most what the answer's width can tell (4 GiB - 4 KiB on older
 * kernels).
 */
public record CopyRange(
    long nodeidIn,
    long fhIn,
    long offsetIn,
    long nodeidOut,
    long fhOut,
    long offsetOut,
    long lengthBytes,
    long flags) {}
