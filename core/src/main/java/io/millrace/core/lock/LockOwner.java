package io.millrace.core.lock;

/**
 * Who locks.
 *
 * @param session of the client
 * @param id the client's kernel's name for a process or an open file description
 */
public record LockOwner(long session, long id) {}
