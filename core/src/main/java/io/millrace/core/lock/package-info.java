/** Advisory locks as a data structure: who holds which range of what file, and who waits for it. */
package io.millrace.core.lock;
