/**
 * Real object stores as child processes, for tests, benches and the demo. Free of JUnit and of any
 * S3 library: whoever uses a server brings the client.
 */
package io.millrace.testkit.s3;
