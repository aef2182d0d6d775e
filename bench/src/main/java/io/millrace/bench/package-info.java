/**
 * Whole-system measurements as plain programs, started by {@code bench/run.sh}; {@code
 * bench/README.md} says what each one answers. Nothing here is on the product's class path.
 */
package io.millrace.bench;
