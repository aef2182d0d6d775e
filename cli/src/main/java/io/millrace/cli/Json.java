package io.millrace.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.List;

/** Replies of the node as JSON: field names as in the .proto files, every field present. */
final class Json {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  static String text(Message message) {
    return node(message).toPrettyString();
  }

  static String text(List<? extends Message> messages) {
    ArrayNode array = MAPPER.createArrayNode();
    messages.forEach(message -> array.add(node(message)));
    return array.toPrettyString();
  }

  private static ObjectNode node(Message message) {
    ObjectNode node = MAPPER.createObjectNode();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      if (field.isMapField()) {
        ObjectNode map = node.putObject(field.getName());
        for (Object entry : (List<?>) message.getField(field)) {
          Message pair = (Message) entry;
          var key = pair.getDescriptorForType().findFieldByNumber(1);
          var value = pair.getDescriptorForType().findFieldByNumber(2);
          map.set(pair.getField(key).toString(), MAPPER.valueToTree(plain(pair.getField(value))));
        }
      } else if (field.isRepeated()) {
        ArrayNode array = node.putArray(field.getName());
        ((List<?>) message.getField(field)).forEach(value -> array.add(tree(value)));
      } else if (!field.hasPresence() || message.hasField(field)) {
        node.set(field.getName(), tree(message.getField(field)));
      }
    }
    return node;
  }

  private static com.fasterxml.jackson.databind.JsonNode tree(Object value) {
    return value instanceof Message message ? node(message) : MAPPER.valueToTree(plain(value));
  }

  private static Object plain(Object value) {
    return switch (value) {
      case ByteString bytes -> bytes.toStringUtf8();
      case com.google.protobuf.Descriptors.EnumValueDescriptor constant -> constant.getName();
      default -> value;
    };
  }
}
