/**
 * Immutable blocks in directories on local disks, with L1 memory in front. The entry is {@link
 * io.millrace.blocks.DiskBlockStore}; formats are in docs/FORMATS.md, section "Blocks".
 */
package io.millrace.blocks;
