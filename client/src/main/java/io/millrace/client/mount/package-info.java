/** Joins the kernel's protocol to a node: the kernel is the cache, the node the truth. */
package io.millrace.client.mount;
