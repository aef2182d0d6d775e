/** Off-heap memory with hard limits: the block cache behind L1 and L2, and temporary buffers. */
package io.millrace.core.cache;
