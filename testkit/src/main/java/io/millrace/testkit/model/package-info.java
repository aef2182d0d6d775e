/**
 * The reference-model test: the same random operations on Millrace and on the machine's own file
 * system, compared by result and by tree, shrunk where they differ.
 */
package io.millrace.testkit.model;
