package io.millrace.core.api;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One bucket of an S3-compatible object store: a flat durable map of objects. Safe for many
 * threads. Blocks (virtual threads welcome). Does not retry, throttle or count: wrappers on this
 * port do.
 *
 * <p>Errors, for every method: EACCES credentials or policy refuse; ENOENT no such bucket, object
 * or upload; ETIMEDOUT, ECONNREFUSED the endpoint did not answer; EAGAIN the store asks to slow
 * down (503, 429), failed (500), or the connection broke: worth a retry; EINTR the caller was
 * interrupted (its interrupt flag stays set; whether a write happened is unknown); EOPNOTSUPP the
 * store does not know the request (501); EIO anything else. The message names bucket, key and
 * endpoint, never a secret (S26).
 *
 * <p>Keys order by their UTF-8 bytes.
 */
public interface Bucket extends AutoCloseable {

  /**
   * How the last part of a key begins that {@link #abilities} may write for a moment: nobody's
   * object, left behind where the process was killed meanwhile.
   */
  String PROBE = ".millrace-probe-";

  /**
   * @param size -1 in the answer of a completed upload where the store does not say
   * @param etag without quotes, empty where the store gives none
   * @param mtimeNanos LastModified: whole seconds from a HEAD, often finer from a listing; 0 in the
   *     answer of a write where the store does not say
   * @param versionId empty where not versioned
   */
  record ObjectInfo(String key, long size, String etag, long mtimeNanos, String versionId) {}

  /** An object's info with its user metadata (keys lower case, without x-amz-meta-). */
  record ObjectHead(
      ObjectInfo info, Map<String, String> metadata, String contentType, String storageClass) {}

  /**
   * @param objects in key order
   * @param prefixes common prefixes, where a delimiter was given, in key order
   * @param next token for the next page; empty at the end
   */
  record Page(List<ObjectInfo> objects, List<String> prefixes, Optional<String> next) {}

  /** What a write must find: nothing required, no object there, or this etag. */
  sealed interface Condition {
    record Always() implements Condition {}

    record Absent() implements Condition {}

    record Matches(String etag) implements Condition {}

    Condition ALWAYS = new Always();
    Condition ABSENT = new Absent();
  }

  /** What the store can do, as probed or known. */
  record Abilities(boolean putIfAbsent, boolean putIfMatch, boolean deleteIfMatch) {}

  /** For messages: {@code s3://bucket at endpoint}. */
  String name();

  /**
   * @throws FsException ENOENT no such bucket; EACCES; see class
   */
  void check();

  /** Empty: no such object; a missing bucket looks the same (a HEAD has no body to tell). */
  Optional<ObjectHead> head(String key);

  /**
   * Reads up to {@code target.byteSize()} bytes from {@code offset} into off-heap memory.
   *
   * @param etag If-Match; empty: any
   * @param target an empty one costs no request and tells nothing
   * @return bytes read, fewer than asked only where the object ends; 0 from beyond its end
   * @throws FsException ENOENT no such object; ESTALE {@code etag} is no longer current. After a
   *     failure {@code target} holds unspecified bytes. An interrupt ends the wait with EINTR.
   */
  int get(String key, String etag, long offset, MemorySegment target);

  /**
   * Stores an object in one piece.
   *
   * @param body read once, from the first byte; native or heap
   * @return info of what was stored (etag may be empty)
   * @throws FsException EEXIST the condition does not hold (412, 409); see class
   */
  ObjectInfo put(
      String key,
      MemorySegment body,
      Map<String, String> metadata,
      String contentType,
      Condition condition);

  /**
   * Copies inside the bucket on the server side, metadata kept or replaced; content type and
   * storage class stay as the source's. A HEAD and a copy.
   *
   * @param sourceEtag copy-source-if-match; empty: any
   * @param metadata empty: as the source
   * @throws FsException ENOENT no source; ESTALE the source has another etag
   */
  ObjectInfo copy(
      String source, String sourceEtag, String target, Optional<Map<String, String>> metadata);

  /**
   * No error where the object is not there. EEXIST: the condition does not hold. A condition is
   * {@code Always} or {@code Matches}; a store without {@link Abilities#deleteIfMatch} ignores it.
   */
  void delete(String key, Condition condition);

  /**
   * One page of keys in order.
   *
   * @param token of the page before; empty: the first page
   * @param startAfter exclusive; only with an empty token
   * @param delimiter empty: all keys below the prefix
   */
  Page list(String prefix, String token, String startAfter, String delimiter, int maxKeys);

  /** Starts a multipart upload and returns its id. */
  String beginUpload(String key, Map<String, String> metadata, String contentType);

  /** Part numbers from 1; all but the last at least 5 MiB. Returns the part's etag. */
  String uploadPart(String key, String upload, int part, MemorySegment body);

  /**
   * A part that is copied on the server side from a range of another object. ESTALE: the source has
   * another etag.
   */
  String copyPart(
      String key, String upload, int part, String source, String etag, long offset, long length);

  /**
   * @param etags of the parts, in order from part 1
   * @throws FsException EEXIST the condition does not hold; ENOENT no such upload; EINVAL a part is
   *     missing or has another etag
   */
  ObjectInfo completeUpload(String key, String upload, List<String> etags, Condition condition);

  /** No error where the upload is not there. */
  void abortUpload(String key, String upload);

  /**
   * Known, or probed once with a temporary object: an S3 bucket writes and deletes one. Credentials
   * that may not write give no abilities.
   */
  Abilities abilities();

  @Override
  void close();
}
