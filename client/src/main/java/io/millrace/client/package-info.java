/** Handles, reader, writer, read-ahead, write-back, leases of one client; knows nothing of FUSE. */
package io.millrace.client;
