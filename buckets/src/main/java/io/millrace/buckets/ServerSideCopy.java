package io.millrace.buckets;

import io.millrace.core.api.Bucket.ObjectInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MetadataDirective;

/**
 * Copies an object inside its bucket and carries over what a plain copy would lose: a copy with new
 * metadata forgets the content headers, every copy forgets the storage class (S16). Objects over 5
 * GiB, which one request can't copy, go part by part; those lose their tags.
 */
final class ServerSideCopy {
  private static final long ONE_REQUEST_MAX = 5L << 30;
  private static final long PART_BYTES = 1L << 30;

  private final S3Client s3;
  private final String bucket;

  ServerSideCopy(S3Client s3, String bucket) {
    this.s3 = s3;
    this.bucket = bucket;
  }

  ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    var request = HeadObjectRequest.builder().bucket(bucket).key(source);
    request.ifMatch(sourceEtag.isEmpty() ? null : Etag.toHeader(sourceEtag));
    HeadObjectResponse from = s3.headObject(request.build());
    String ifMatch = sourceEtag.isEmpty() ? from.eTag() : Etag.toHeader(sourceEtag);
    return from.contentLength() > ONE_REQUEST_MAX
        ? inParts(source, ifMatch, target, metadata, from)
        : inOne(source, ifMatch, target, metadata, from);
  }

  private ObjectInfo inOne(
      String source,
      String ifMatch,
      String target,
      Optional<Map<String, String>> metadata,
      HeadObjectResponse from) {
    var request =
        CopyObjectRequest.builder()
            .sourceBucket(bucket)
            .sourceKey(source)
            .destinationBucket(bucket)
            .destinationKey(target)
            .copySourceIfMatch(ifMatch)
            .storageClass(from.storageClassAsString());
    metadata.ifPresent(
        fresh ->
            request
                .metadataDirective(MetadataDirective.REPLACE)
                .metadata(UserMetadata.encode(fresh))
                .contentType(from.contentType())
                .contentEncoding(from.contentEncoding())
                .contentLanguage(from.contentLanguage())
                .contentDisposition(from.contentDisposition())
                .cacheControl(from.cacheControl()));
    var answer = s3.copyObject(request.build());
    String etag = Etag.fromHeader(answer.copyObjectResult().eTag());
    String version = answer.versionId() == null ? "" : answer.versionId();
    return new ObjectInfo(target, from.contentLength(), etag, 0, version);
  }

  private ObjectInfo inParts(
      String source,
      String ifMatch,
      String target,
      Optional<Map<String, String>> metadata,
      HeadObjectResponse from) {
    var begin =
        CreateMultipartUploadRequest.builder()
            .bucket(bucket)
            .key(target)
            .metadata(metadata.map(UserMetadata::encode).orElse(from.metadata()))
            .contentType(from.contentType())
            .contentEncoding(from.contentEncoding())
            .contentLanguage(from.contentLanguage())
            .contentDisposition(from.contentDisposition())
            .cacheControl(from.cacheControl())
            .storageClass(from.storageClassAsString());
    String upload = s3.createMultipartUpload(begin.build()).uploadId();
    try {
      var parts = parts(source, ifMatch, target, upload, from.contentLength());
      var answer =
          s3.completeMultipartUpload(
              r ->
                  r.bucket(bucket)
                      .key(target)
                      .uploadId(upload)
                      .multipartUpload(m -> m.parts(parts)));
      String version = answer.versionId() == null ? "" : answer.versionId();
      String etag = Etag.fromHeader(answer.eTag());
      return new ObjectInfo(target, from.contentLength(), etag, 0, version);
    } catch (RuntimeException e) {
      abandon(target, upload, e);
      throw e;
    }
  }

  private List<CompletedPart> parts(
      String source, String ifMatch, String target, String upload, long size) {
    var parts = new ArrayList<CompletedPart>();
    for (long at = 0; at < size; at += PART_BYTES) {
      int number = parts.size() + 1;
      String range = "bytes=" + at + "-" + (Math.min(at + PART_BYTES, size) - 1);
      var answer =
          s3.uploadPartCopy(
              r ->
                  r.sourceBucket(bucket)
                      .sourceKey(source)
                      .copySourceIfMatch(ifMatch)
                      .copySourceRange(range)
                      .destinationBucket(bucket)
                      .destinationKey(target)
                      .uploadId(upload)
                      .partNumber(number));
      String etag = answer.copyPartResult().eTag();
      parts.add(CompletedPart.builder().partNumber(number).eTag(etag).build());
    }
    return parts;
  }

  private void abandon(String target, String upload, RuntimeException why) {
    try {
      var _ = s3.abortMultipartUpload(r -> r.bucket(bucket).key(target).uploadId(upload));
    } catch (RuntimeException e) {
      why.addSuppressed(e);
    }
  }
}
