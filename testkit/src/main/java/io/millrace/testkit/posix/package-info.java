/** System calls with exact flags and errnos, for tests that compare file systems. */
package io.millrace.testkit.posix;
