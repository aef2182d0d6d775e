package io.millrace.buckets;

import io.millrace.buckets.http.Origin;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.apache5.ProxyConfiguration;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Where the objects of a bucket are: a server, and the path before their keys. Asked of the SDK's
 * client, so that both ways to an object agree.
 *
 * @param pathPrefix begins and ends with a slash
 */
record BucketAddress(Origin origin, String pathPrefix) {
  private static final String ANY_KEY = "k";

  /**
   * Empty where a plain GET would not do: AWS itself (checksums in its answers, kinds of buckets
   * with rules of their own, redirects between regions), a proxy on the way, or an endpoint that is
   * more than a host and a path.
   */
  static Optional<BucketAddress> of(S3Settings settings, S3Client s3) {
    if (settings.isAws() || !settings.bucket().matches("[A-Za-z0-9._-]+")) {
      return Optional.empty();
    }
    try {
      URL url = s3.utilities().getUrl(r -> r.bucket(settings.bucket()).key(ANY_KEY));
      return Optional.of(url.toURI()).filter(BucketAddress::isPlain).map(BucketAddress::ofAnyKey);
    } catch (SdkException | URISyntaxException _) {
      return Optional.empty(); // the SDK's own requests will say what is wrong
    }
  }

  private static boolean isPlain(URI uri) {
    boolean bare = uri.getRawQuery() == null && uri.getRawUserInfo() == null;
    boolean whole = uri.getHost() != null && uri.getRawPath().endsWith("/" + ANY_KEY);
    return bare && whole && !isProxied(uri);
  }

  private static BucketAddress ofAnyKey(URI uri) {
    String path = uri.getRawPath();
    return new BucketAddress(Origin.of(uri), path.substring(0, path.length() - ANY_KEY.length()));
  }

  /** By the settings of JVM and environment that the SDK's HTTP client follows. */
  private static boolean isProxied(URI uri) {
    var proxy = ProxyConfiguration.builder().scheme(uri.getScheme()).build();
    String host = proxy.host();
    return host != null
        && !host.isEmpty()
        && proxy.nonProxyHosts().stream().noneMatch(uri.getHost()::matches);
  }
}
