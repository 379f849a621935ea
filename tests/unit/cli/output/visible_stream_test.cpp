#include "cli/output/visible_stream.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tsmfs::cli {
namespace {

TEST(VisibleStream, LetsLinesThroughAndShowsEscapes) {
  std::ostringstream beneath;
  VisibleStream out(beneath);
  out << "größe\n"
      << "q\x1b[31m" << '\x07' << 12 << '\n';
  EXPECT_EQ(beneath.str(), "größe\nq\\x1b[31m\\x0712\n");
}

TEST(VisibleStream, PutsCharactersTogetherThatComeInPieces) {
  std::ostringstream beneath;
  {
    VisibleStream out(beneath);
    for (const char c : std::string("日\u009b🙂")) out << c;
    EXPECT_EQ(beneath.str(), "日\\u009b🙂");
    out << "\xe6\x97";  // never ends
  }
  EXPECT_EQ(beneath.str(), "日\\u009b🙂\\xe6\\x97");
}

TEST(VisibleStream, ControlSequencesOfOurOwnPass) {
  std::ostringstream beneath;
  VisibleStream out(beneath);
  write_control(out, "\r\x1b[K");
  out << "\r\x1b[K";
  EXPECT_EQ(beneath.str(), "\r\x1b[K\\x0d\\x1b[K");
}

TEST(VisibleStream, AFailureBeneathIsOneAbove) {
  struct Full : std::streambuf {
  } full;
  std::ostream none(&full);
  VisibleStream above(none);
  above << "text";
  EXPECT_TRUE(above.bad());
}

}  // namespace
}  // namespace tsmfs::cli
