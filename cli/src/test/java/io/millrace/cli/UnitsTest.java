package io.millrace.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.TypeConversionException;

class UnitsTest {
  @Test
  void sizesArePowersOf1024() {
    var size = new Units.Size();
    assertEquals(64L << 20, size.convert("64MiB"));
    assertEquals(4L << 30, size.convert("4G"));
    assertEquals(123L, size.convert("123"));
    assertThrows(TypeConversionException.class, () -> size.convert("lots"));
  }

  @Test
  void timesHaveUnits() {
    var time = new Units.Time();
    assertEquals(Duration.ofDays(7), time.convert("7d"));
    assertEquals(Duration.ofSeconds(30), time.convert("30"));
    assertEquals(Duration.ofMillis(500), time.convert("500ms"));
    assertThrows(TypeConversionException.class, () -> time.convert("soon"));
  }

  @Test
  void bytesAreReadable() {
    assertEquals("0 B", Units.bytes(0));
    assertEquals("1.5 KiB", Units.bytes(1536));
    assertEquals("213 MiB", Units.bytes(213L << 20));
  }
}
