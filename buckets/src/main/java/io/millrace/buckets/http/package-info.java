/** HTTP/1.1 GETs over kept connections, and nothing else of HTTP. Knows neither S3 nor Millrace. */
package io.millrace.buckets.http;
