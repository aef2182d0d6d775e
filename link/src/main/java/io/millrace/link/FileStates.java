package io.millrace.link;

import com.google.protobuf.ByteString;
import io.millrace.core.path.FileType;
import io.millrace.core.path.TreePath;
import io.millrace.proto.FileState;
import io.millrace.proto.Inode;
import io.millrace.proto.StateSum;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.regex.Pattern;

/** What {@code millrace state} tells about files. Any thread. */
final class FileStates {
  private static final int LISTED_MAX = 10_000;
  private static final Pattern CONFLICT =
      Pattern.compile(".*\\.conflict-[^./]{1,8}(-[0-9]+)?", Pattern.DOTALL);

  private final LinkParts parts;
  private final LongPredicate exporting;

  FileStates(LinkParts parts, LongPredicate exporting) {
    this.parts = parts;
    this.exporting = exporting;
  }

  FileState of(Inode file) {
    long stream = file.getObject().getStream();
    long here =
        stream == 0
            ? Math.min(file.getSize(), parts.store().bytesHere(file.getIno(), 0))
            : parts.store().bytesHere(file.getIno(), stream);
    return FileState.newBuilder()
        .setPath(TreePath.of(parts.namespace(), file.getIno()))
        .setSize(file.getSize())
        .setCachedBytes(here)
        .setState(state(file, here))
        .build();
  }

  private String state(Inode file, long here) {
    return switch (file.getContentClass()) {
      case OWN -> "own";
      case DIRTY -> exporting.test(file.getIno()) ? "exporting" : "dirty";
      case CLEAN -> clean(file, here);
      case UNRECOGNIZED -> "own";
    };
  }

  private static String clean(Inode file, long here) {
    if (CONFLICT.matcher(file.getName().toStringUtf8()).matches()) {
      return "conflict";
    }
    if (here >= file.getSize()) {
      return "cached";
    }
    return here == 0 ? "cold" : "partial";
  }

  /** The file, or the files of the directory, at most {@value #LISTED_MAX}. */
  List<FileState> list(Inode top) {
    if (!FileType.isDirectory(top)) {
      return List.of(of(top));
    }
    var states = new ArrayList<FileState>();
    parts
        .namespace()
        .list(
            top.getIno(),
            ByteString.EMPTY,
            LISTED_MAX,
            entry -> {
              if (FileType.isRegular(entry)) {
                states.add(of(entry));
              }
            });
    return states;
  }

  StateSum sum(Inode top) {
    Map<String, Long> files = new HashMap<>();
    Map<String, Long> bytes = new HashMap<>();
    var walk = new TreeWalk(parts.namespace(), top);
    for (Optional<Inode> next = walk.next(); next.isPresent(); next = walk.next()) {
      if (FileType.isRegular(next.get())) {
        Inode file = next.get();
        long stream = file.getObject().getStream();
        String state = state(file, parts.store().bytesHere(file.getIno(), stream));
        files.merge(state, 1L, Long::sum);
        bytes.merge(state, file.getSize(), Long::sum);
      }
    }
    return StateSum.newBuilder().putAllFiles(files).putAllBytes(bytes).build();
  }
}
