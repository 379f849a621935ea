// Text from outside, made fit to be shown: whatever a terminal, a log or a browser would obey
// instead of showing it becomes visible. The one place that knows what that is.
//
// Control characters are those of ASCII, DEL, the C1 set (U+0080 to U+009F), line and paragraph
// separators, and the marks that turn the direction of text; bytes that are not UTF-8 count as
// such.
//
// All that a command prints passes cli/output/visible_stream, and all that is logged log::write().
// A name in a message is quote()d, one in a table goes through visible(), so that it stays one
// line; JSON is escaped in its own way and means what it meant. The program's own control sequences
// go past the filter by name (write_control()); a tar on standard output is bytes, not text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tsmfs {

// `text` with control characters as \xNN or \uNNNN, a newline too: what comes out is one line.
// The ASCII characters of `also` are escaped too.
std::string visible(std::string_view text, std::string_view also = {});

// The same for a text of several lines: its newlines stay.
std::string visible_lines(std::string_view text);

// The same for a message of several lines: those behind the first are set off, so that no text from
// outside begins a line.
std::string visible_message(std::string_view text);

// The same for JSON text, in its own escapes: it means what it meant.
std::string visible_json(std::string_view json);

// True when all of `text` is characters of UTF-8.
bool is_utf8(std::string_view text);

// How many bytes at the end of `text` begin a UTF-8 character that goes on behind it.
size_t unfinished_bytes(std::string_view text);

}  // namespace tsmfs
