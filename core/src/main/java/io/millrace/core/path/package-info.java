/** Names, paths and kinds of files, for all who look at the tree from outside the namespace. */
package io.millrace.core.path;
