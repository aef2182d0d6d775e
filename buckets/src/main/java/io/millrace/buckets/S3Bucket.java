package io.millrace.buckets;

import io.millrace.core.api.Bucket;
import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.model.UploadPartCopyRequest;

/**
 * A bucket behind the S3 protocol, through the AWS SDK's synchronous client, but for {@link #get},
 * which goes the shorter way of {@link LeanGet} where {@link BucketAddress} allows it. One request
 * of the port is one HTTP request, but for {@link #copy} (a HEAD before), the probe of {@link
 * #abilities} and an answer to a GET that only the SDK understands.
 *
 * <p>An interrupt ends a wait at once on a virtual thread (the JDK closes the socket); a platform
 * thread notices, but in a plain {@link LeanGet}, when bytes come or the answer timeout passes.
 */
public final class S3Bucket implements Bucket {
  private static final int PAGE_MAX = 1000;
  private static final int BAD_RANGE = 416;
  private static final String OCTETS = "application/octet-stream";

  private final S3Settings settings;
  private final String bucket;
  private final SdkHttpClient http;
  private final S3Client s3;
  private final S3Errors errors;
  private final HeapBuffers buffers;
  private final ServerSideCopy copies;
  private final Optional<LeanGet> lean;
  private final AtomicReference<Abilities> known = new AtomicReference<>();

  public S3Bucket(S3Settings settings) {
    this(settings, true);
  }

  /**
   * @param leanGets false: GETs go through the SDK too, as where {@link BucketAddress} forbids them
   */
  S3Bucket(S3Settings settings, boolean leanGets) {
    var credentials = S3Clients.credentials(settings.credentials());
    this.settings = settings;
    this.bucket = settings.bucket();
    this.http = S3Clients.http(settings);
    this.s3 = client(settings, credentials, http);
    this.errors = new S3Errors(settings.name());
    this.buffers = new HeapBuffers(settings.requestsInFlight());
    this.copies = new ServerSideCopy(s3, bucket);
    this.lean = leanGets ? S3Clients.lean(settings, credentials, s3) : Optional.empty();
  }

  private static S3Client client(
      S3Settings settings, AwsCredentialsProvider credentials, SdkHttpClient http) {
    try {
      return S3Clients.client(settings, credentials, http);
    } catch (RuntimeException e) {
      http.close();
      throw e;
    }
  }

  @Override
  public String name() {
    return settings.name();
  }

  /** A listing of one key: HEAD answers without a body, so it could not tell what is wrong. */
  @Override
  public void check() {
    var request =
        ListObjectsV2Request.builder().bucket(bucket).prefix(settings.probePrefix()).maxKeys(1);
    call(Operation.CHECK, "", () -> s3.listObjectsV2(request.build()));
  }

  @Override
  public Optional<ObjectHead> head(String key) {
    var request = HeadObjectRequest.builder().bucket(bucket).key(key).build();
    try {
      return Optional.of(head(key, s3.headObject(request)));
    } catch (RuntimeException e) {
      FsException translated = errors.translate(e, Operation.HEAD, key);
      if (translated.errno() == Errno.ENOENT) {
        return Optional.empty();
      }
      throw translated;
    }
  }

  private static ObjectHead head(String key, HeadObjectResponse answer) {
    var info =
        new ObjectInfo(
            key,
            answer.contentLength(),
            Etag.fromHeader(answer.eTag()),
            nanos(answer.lastModified()),
            text(answer.versionId()));
    return new ObjectHead(
        info,
        UserMetadata.decode(answer.metadata()),
        text(answer.contentType()),
        text(answer.storageClassAsString()));
  }

  @Override
  public int get(String key, String etag, long offset, MemorySegment target) {
    if (target.byteSize() == 0) {
      return 0;
    }
    var asked = new RangeAnswer.Asked(name(), key, etag, offset, target.byteSize());
    OptionalInt read = lean.isPresent() ? lean.get().get(asked, target) : OptionalInt.empty();
    return read.isPresent() ? read.getAsInt() : getThroughSdk(asked, target);
  }

  private int getThroughSdk(RangeAnswer.Asked asked, MemorySegment target) {
    var request = GetObjectRequest.builder().bucket(bucket).key(asked.key());
    request.range("bytes=" + asked.offset() + "-" + (asked.offset() + asked.length() - 1));
    if (!asked.etag().isEmpty()) {
      request.ifMatch(Etag.toHeader(asked.etag()));
    }
    try {
      return s3.getObject(request.build(), new RangeReader(asked, target, buffers));
    } catch (S3Exception e) {
      if (e.statusCode() == BAD_RANGE) {
        return 0;
      }
      throw errors.translate(e, Operation.GET, asked.key());
    } catch (RuntimeException e) {
      throw errors.translate(e, Operation.GET, asked.key());
    }
  }

  @Override
  public ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition) {
    var request = PutObjectRequest.builder().bucket(bucket).key(key);
    request.metadata(UserMetadata.encode(metadata));
    request.contentType(contentType.isEmpty() ? null : contentType);
    switch (condition) {
      case Condition.Always() -> {}
      case Condition.Absent() -> request.ifNoneMatch("*");
      case Condition.Matches(String etag) -> request.ifMatch(Etag.toHeader(etag));
    }
    var answer = call(Operation.PUT, key, () -> s3.putObject(request.build(), body(body)));
    String etag = Etag.fromHeader(answer.eTag());
    return new ObjectInfo(key, body.byteSize(), etag, 0, text(answer.versionId()));
  }

  private static RequestBody body(MemorySegment bytes) {
    return RequestBody.fromContentProvider(
        () -> new SegmentStream(bytes), bytes.byteSize(), OCTETS);
  }

  @Override
  public ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata) {
    return call(Operation.COPY, source, () -> copies.copy(source, sourceEtag, target, metadata));
  }

  @Override
  public void delete(String key, Condition condition) {
    Conditions.requireDeletable(condition, key);
    var request = DeleteObjectRequest.builder().bucket(bucket).key(key);
    if (condition instanceof Condition.Matches(String etag)) {
      request.ifMatch(Etag.toHeader(etag));
    }
    try {
      var _ = s3.deleteObject(request.build());
    } catch (S3Exception e) {
      if (!"NoSuchKey".equals(S3Errors.code(e))) {
        throw errors.translate(e, Operation.DELETE, key);
      }
    } catch (RuntimeException e) {
      throw errors.translate(e, Operation.DELETE, key);
    }
  }

  @Override
  public Page list(String prefix, String token, String startAfter, String delimiter, int maxKeys) {
    var request =
        ListObjectsV2Request.builder()
            .bucket(bucket)
            .prefix(given(prefix))
            .delimiter(given(delimiter))
            .continuationToken(given(token))
            .startAfter(token.isEmpty() ? given(startAfter) : null)
            .encodingType(EncodingType.URL)
            .maxKeys(Math.min(maxKeys, PAGE_MAX));
    return page(call(Operation.LIST, prefix, () -> s3.listObjectsV2(request.build())));
  }

  private static Page page(ListObjectsV2Response answer) {
    var objects = new ArrayList<ObjectInfo>(answer.contents().size());
    for (S3Object object : answer.contents()) {
      String etag = Etag.fromHeader(object.eTag());
      long mtimeNanos = nanos(object.lastModified());
      objects.add(new ObjectInfo(object.key(), object.size(), etag, mtimeNanos, ""));
    }
    var prefixes = answer.commonPrefixes().stream().map(p -> p.prefix()).toList();
    boolean more = Boolean.TRUE.equals(answer.isTruncated());
    return new Page(
        objects, prefixes, more ? Optional.of(answer.nextContinuationToken()) : Optional.empty());
  }

  @Override
  public String beginUpload(String key, Map<String, String> metadata, String contentType) {
    return call(
        Operation.BEGIN_UPLOAD,
        key,
        () ->
            s3.createMultipartUpload(
                    r ->
                        r.bucket(bucket)
                            .key(key)
                            .metadata(UserMetadata.encode(metadata))
                            .contentType(given(contentType)))
                .uploadId());
  }

  @Override
  public String uploadPart(String key, String upload, int part, MemorySegment body) {
    var answer =
        call(
            Operation.UPLOAD_PART,
            key,
            () ->
                s3.uploadPart(
                    r -> r.bucket(bucket).key(key).uploadId(upload).partNumber(part), body(body)));
    return Etag.fromHeader(answer.eTag());
  }

  @Override
  public String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length) {
    var request =
        UploadPartCopyRequest.builder()
            .destinationBucket(bucket)
            .destinationKey(key)
            .uploadId(upload)
            .partNumber(part)
            .sourceBucket(bucket)
            .sourceKey(source)
            .copySourceIfMatch(etag.isEmpty() ? null : Etag.toHeader(etag))
            .copySourceRange("bytes=" + offset + "-" + (offset + length - 1));
    var answer = call(Operation.COPY_PART, source, () -> s3.uploadPartCopy(request.build()));
    return Etag.fromHeader(answer.copyPartResult().eTag());
  }

  @Override
  public ObjectInfo completeUpload(
      String key, String upload, List<String> etags, Condition condition) {
    var parts = new ArrayList<CompletedPart>(etags.size());
    for (String etag : etags) {
      int number = parts.size() + 1;
      parts.add(CompletedPart.builder().partNumber(number).eTag(Etag.toHeader(etag)).build());
    }
    var request =
        CompleteMultipartUploadRequest.builder()
            .bucket(bucket)
            .key(key)
            .uploadId(upload)
            .multipartUpload(m -> m.parts(parts));
    switch (condition) {
      case Condition.Always() -> {}
      case Condition.Absent() -> request.ifNoneMatch("*");
      case Condition.Matches(String etag) -> request.ifMatch(Etag.toHeader(etag));
    }
    try {
      var answer = s3.completeMultipartUpload(request.build());
      String given = Etag.fromHeader(answer.eTag());
      String etag = given.isEmpty() ? Etag.ofParts(etags) : given; // Ceph 16 gives none
      return new ObjectInfo(key, -1, etag, 0, text(answer.versionId()));
    } catch (RuntimeException e) {
      FsException translated = errors.translate(e, Operation.COMPLETE_UPLOAD, key);
      if (translated.errno() == Errno.EAGAIN) {
        requireUpload(key, upload);
      }
      throw translated;
    }
  }

  /** Ceph 16 answers 500, not 404, to completing an upload that is gone: don't retry for ever. */
  private void requireUpload(String key, String upload) {
    call(
        Operation.ABORT_UPLOAD,
        key,
        () -> s3.listParts(r -> r.bucket(bucket).key(key).uploadId(upload).maxParts(1)));
  }

  @Override
  public void abortUpload(String key, String upload) {
    try {
      var _ = s3.abortMultipartUpload(r -> r.bucket(bucket).key(key).uploadId(upload));
    } catch (RuntimeException e) {
      FsException translated = errors.translate(e, Operation.ABORT_UPLOAD, key);
      if (translated.errno() != Errno.ENOENT) {
        throw translated;
      }
    }
  }

  @Override
  public Abilities abilities() {
    if (known.get() == null) {
      String key = settings.probePrefix() + PROBE + UUID.randomUUID();
      known.compareAndSet(null, new AbilityProbe(this, key).probe());
    }
    return known.get();
  }

  @Override
  public void close() {
    lean.ifPresent(LeanGet::close);
    s3.close();
    http.close();
  }

  private <T> T call(Operation operation, String key, Supplier<T> request) {
    try {
      return request.get();
    } catch (RuntimeException e) {
      throw errors.translate(e, operation, key);
    }
  }

  /** The SDK takes null for "not given". */
  private static String given(String text) {
    return text.isEmpty() ? null : text;
  }

  private static String text(String header) {
    return header == null ? "" : header;
  }

  private static long nanos(Instant time) {
    return time == null ? 0 : time.getEpochSecond() * 1_000_000_000L + time.getNano();
  }
}
