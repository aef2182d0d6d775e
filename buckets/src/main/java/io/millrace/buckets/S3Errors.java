package io.millrace.buckets;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;

/**
 * Translates what the SDK throws, by status, error code and exception type. Never by text, and
 * never passing on the store's text: it may hold an access key (S26).
 */
final class S3Errors {
  private static final String WRONG_REGION = "the bucket is in another region; give --region";

  private final String bucket;

  S3Errors(String bucket) {
    this.bucket = bucket;
  }

  FsException translate(RuntimeException failure, Operation operation, String key) {
    if (failure instanceof AwsServiceException answer) {
      return ofAnswer(answer, operation, key);
    }
    if (Thread.currentThread().isInterrupted() || failure instanceof AbortedException) {
      return interrupted(operation, key);
    }
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      FsException known = ofCause(cause, operation, key);
      if (known != null) {
        return known;
      }
    }
    return error(failure, Errno.EIO, "the request failed in the S3 client", operation, key);
  }

  /** Null: this link of the chain says nothing; look at its cause. */
  private FsException ofCause(Throwable cause, Operation operation, String key) {
    return switch (cause) {
      case FsException own -> own;
      case SocketTimeoutException e ->
          error(e, Errno.ETIMEDOUT, "the endpoint did not answer in time", operation, key);
      case ApiCallTimeoutException e ->
          error(e, Errno.ETIMEDOUT, "the endpoint did not answer in time", operation, key);
      case ConnectException e -> unreachable(e, operation, key);
      case NoRouteToHostException e -> unreachable(e, operation, key);
      case UnknownHostException e ->
          error(
              e,
              Errno.ECONNREFUSED,
              "the endpoint's host name is unknown; check --endpoint and DNS",
              operation,
              key);
      case SSLException e ->
          error(
              e,
              Errno.EIO,
              "TLS failed; check that the endpoint speaks https with a trusted certificate",
              operation,
              key);
      case InterruptedIOException _ -> interrupted(operation, key);
      case IOException e -> error(e, Errno.EAGAIN, "the connection broke", operation, key);
      default -> null;
    };
  }

  private FsException unreachable(IOException e, Operation operation, String key) {
    return error(
        e,
        Errno.ECONNREFUSED,
        "nothing answers at the endpoint; check --endpoint and that the store runs",
        operation,
        key);
  }

  FsException interrupted(Operation operation, String key) {
    Thread.currentThread().interrupt();
    return error(null, Errno.EINTR, "interrupted while waiting for the bucket", operation, key);
  }

  private FsException ofAnswer(AwsServiceException answer, Operation operation, String key) {
    return ofStatus(answer.statusCode(), code(answer), operation, key);
  }

  /**
   * @param code S3's word for what is wrong; empty: not known
   */
  FsException ofStatus(int status, String code, Operation operation, String key) {
    return switch (status) {
      case 301, 307 -> answer(Errno.EIO, WRONG_REGION, status, code, operation, key);
      case 400 -> badRequest(status, code, operation, key);
      case 401, 403 -> refused(status, code, operation, key);
      case 404 -> missing(status, code, operation, key);
      case 409 -> conflict(status, code, operation, key);
      case 412 -> conditionFailed(status, code, operation, key);
      case 408, 429, 500, 502, 503, 504 ->
          answer(Errno.EAGAIN, "the store asks to try again", status, code, operation, key);
      case 405, 501 ->
          answer(Errno.EOPNOTSUPP, "the store can't do this", status, code, operation, key);
      default -> answer(Errno.EIO, "the store failed", status, code, operation, key);
    };
  }

  /** S3's word for what is wrong; empty where the answer had no body (HEAD). */
  static String code(AwsServiceException answer) {
    AwsErrorDetails details = answer.awsErrorDetails();
    return details == null || details.errorCode() == null ? "" : details.errorCode();
  }

  private FsException badRequest(int status, String code, Operation operation, String key) {
    return switch (code) {
      case "RequestTimeout" ->
          answer(Errno.EAGAIN, "the store asks to try again", status, code, operation, key);
      case "InvalidPart", "InvalidPartOrder", "EntityTooSmall" ->
          answer(Errno.EINVAL, "the parts don't make an object", status, code, operation, key);
      case "KeyTooLongError" ->
          answer(Errno.ENAMETOOLONG, "the key is too long", status, code, operation, key);
      case "ExpiredToken", "InvalidToken", "TokenRefreshRequired" ->
          answer(
              Errno.EACCES,
              "the session token has expired; renew it",
              status,
              code,
              operation,
              key);
      case "AuthorizationHeaderMalformed", "IllegalLocationConstraintException" ->
          answer(Errno.EIO, WRONG_REGION, status, code, operation, key);
      default -> answer(Errno.EIO, "the store refused the request", status, code, operation, key);
    };
  }

  private FsException refused(int status, String code, Operation operation, String key) {
    return switch (code) {
      case "InvalidObjectState" ->
          answer(
              Errno.EIO, "the object is archived; restore it first", status, code, operation, key);
      case "InvalidAccessKeyId" ->
          answer(
              Errno.EACCES,
              "the store doesn't know this access key; check --credentials or --profile",
              status,
              code,
              operation,
              key);
      case "SignatureDoesNotMatch" ->
          answer(
              Errno.EACCES,
              "the secret key is wrong; check --credentials or --profile",
              status,
              code,
              operation,
              key);
      case "RequestTimeTooSkewed" ->
          answer(Errno.EACCES, "this machine's clock is wrong", status, code, operation, key);
      default ->
          answer(
              Errno.EACCES,
              "the store refuses access; check the user's rights on the bucket",
              status,
              code,
              operation,
              key);
    };
  }

  private FsException missing(int status, String code, Operation operation, String key) {
    return switch (code) {
      case "NoSuchBucket" ->
          answer(
              Errno.ENOENT,
              "no such bucket; create it or correct its name",
              status,
              code,
              operation,
              key);
      case "NoSuchUpload" -> answer(Errno.ENOENT, "no such upload", status, code, operation, key);
      default ->
          // Only a write that demands an etag meets a missing key.
          operation == Operation.PUT || operation == Operation.COMPLETE_UPLOAD
              ? conditionFailed(status, code, operation, key)
              : answer(Errno.ENOENT, "no such object", status, code, operation, key);
    };
  }

  private FsException conflict(int status, String code, Operation operation, String key) {
    return code.equals("ConditionalRequestConflict")
        ? conditionFailed(status, code, operation, key)
        : answer(Errno.EAGAIN, "another request is in the way", status, code, operation, key);
  }

  private FsException conditionFailed(int status, String code, Operation operation, String key) {
    return switch (operation) {
      case PUT, DELETE, COMPLETE_UPLOAD ->
          answer(
              Errno.EEXIST, "the object is not as the write demands", status, code, operation, key);
      default -> answer(Errno.ESTALE, "the object has changed", status, code, operation, key);
    };
  }

  private FsException answer(
      Errno errno, String message, int status, String code, Operation operation, String key) {
    return new FsException(
        errno,
        message,
        "bucket",
        bucket,
        "key",
        key,
        "operation",
        operation,
        "status",
        status,
        "code",
        code);
  }

  private FsException error(
      Throwable cause, Errno errno, String message, Operation operation, String key) {
    return new FsException(
        cause, errno, message, "bucket", bucket, "key", key, "operation", operation);
  }
}
