package io.millrace.core.lock;

/** What is locked. */
public record LockKey(long ino, LockSpace space) {}
