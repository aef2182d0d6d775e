/**
 * The node: sessions, leases and notices, and the requests that clients send. Entry: {@link
 * io.millrace.node.Node}.
 */
package io.millrace.node;
