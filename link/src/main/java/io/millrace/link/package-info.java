/**
 * What joins a directory to a bucket: lazy load, import, preload, export, evict, and the tasks they
 * run as. Knows the ports of {@code core.api} only.
 */
package io.millrace.link;
