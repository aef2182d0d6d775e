/** Who may do what: POSIX permissions as Linux decides them, for node and namespace alike. */
package io.millrace.core.access;
