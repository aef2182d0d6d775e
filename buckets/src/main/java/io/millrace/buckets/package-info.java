/** Object stores behind the {@code Bucket} port: S3, a directory, memory, and wrappers on them. */
package io.millrace.buckets;
