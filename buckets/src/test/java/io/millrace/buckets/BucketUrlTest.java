package io.millrace.buckets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.millrace.core.api.Errno;
import io.millrace.core.api.FsException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

class BucketUrlTest {
  @ParameterizedTest
  @CsvSource({
    "s3://lake, s3://lake, ''",
    "s3://lake/, s3://lake, ''",
    "s3://lake/a/b, s3://lake/a/b/, a/b/",
    "s3://lake/a/b/, s3://lake/a/b/, a/b/",
    "file:///data/x/../y, file:///data/y, ''",
    "mem:name, mem:name, ''",
    "mem:name/p, mem:name/p/, p/"
  })
  void parses(String text, String canonical, String prefix) {
    BucketUrl url = BucketUrl.parse(text);
    assertEquals(canonical, url.asText());
    assertEquals(prefix, url.placePrefix());
    assertEquals(url, BucketUrl.parse(canonical));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "lake", "s3:/lake", "s3://", "s3:///x", "http://x/y", "file://x", "mem:"})
  void refusesOtherForms(String text) {
    assertEquals(
        Errno.EINVAL, assertThrows(FsException.class, () -> BucketUrl.parse(text)).errno());
  }

  @Test
  void S26_keysInTheWrongPlaceAreNotRepeated() {
    for (Runnable wrong :
        new Runnable[] {
          () -> BucketUrl.parse("s3://AKIA:secret@lake/x"),
          () -> Credentials.parse("AKIA:secret"),
          () ->
              S3Settings.of(
                  "b",
                  Optional.of(URI.create("http://AKIA:secret@host")),
                  new Credentials.Anonymous())
        }) {
      var e = assertThrows(FsException.class, wrong::run);
      assertEquals(Errno.EINVAL, e.errno());
      assertFalse(e.getMessage().contains("secret"), e.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "profile:p", "file:/a/b", "anonymous"})
  void credentialsAreNamedByText(String text) {
    assertEquals(text, Credentials.parse(text).asText());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "AKIA\nsecret/key=\n",
        "# mine\n\nAKIA\nsecret/key=\n",
        "aws_access_key_id = AKIA\naws_secret_access_key = secret/key=\n",
        "[default]\naws_access_key_id=AKIA\naws_secret_access_key=secret/key=\n[b]\naccess_key=x\n",
        "access_key=AKIA\nsecret_key=secret/key=\n"
      })
  void credentialsFilesHaveTwoForms(String text, @TempDir Path directory) throws IOException {
    var keys = CredentialsFile.read(Files.writeString(directory.resolve("f"), text));
    assertEquals("AKIA", keys.accessKeyId());
    assertEquals("secret/key=", keys.secretAccessKey());
  }

  @Test
  void sessionTokensAreRead(@TempDir Path directory) throws IOException {
    Path file =
        Files.writeString(directory.resolve("f"), "access_key=a\nsecret_key=b\nsession_token=c\n");
    assertEquals("c", ((AwsSessionCredentials) CredentialsFile.read(file)).sessionToken());
  }

  @Test
  void S26_badCredentialsFilesAreToldWithoutTheirText(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("f"), "only-a-secret\n");
    var bad = assertThrows(FsException.class, () -> CredentialsFile.read(file));
    assertEquals(Errno.EINVAL, bad.errno());
    assertFalse(bad.getMessage().contains("only-a-secret"));
    var missing =
        assertThrows(FsException.class, () -> CredentialsFile.read(directory.resolve("none")));
    assertEquals(Errno.EACCES, missing.errno());
  }

  @Test
  void memoryBucketsAreSharedByName() {
    var buckets = new Buckets();
    var access =
        Buckets.Access.of(
            BucketUrl.parse("mem:shared"), Optional.empty(), "", new Credentials.Anonymous());
    try (var one = buckets.open(access);
        var two = buckets.open(access)) {
      var upload = one.bucket().beginUpload("a", Map.of(), "");
      two.bucket().abortUpload("a", upload);
      assertEquals(1, one.meter().read().operations().get(Operation.BEGIN_UPLOAD).requests());
    }
  }
}
