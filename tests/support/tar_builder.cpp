#include "tests/support/tar_builder.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <clocale>
#include <memory>
#include <stdexcept>

namespace tsmfs::support {

namespace {

constexpr size_t kBlockBytes = 512;
constexpr size_t kChecksumOffset = 148;

void require_ok(archive* writer, int status) {
  if (status != ARCHIVE_OK) throw std::runtime_error(archive_error_string(writer));
}

la_ssize_t append_to_string(archive*, void* out, const void* bytes, size_t length) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), length);
  return static_cast<la_ssize_t>(length);
}

int choose_form(archive* writer, TarForm form) {
  switch (form) {
    case TarForm::kUstar:
      return archive_write_set_format_ustar(writer);
    case TarForm::kPax:
      return archive_write_set_format_pax(writer);
    case TarForm::kGnu:
      break;
  }
  return archive_write_set_format_gnutar(writer);
}

void write_entry(archive* writer, const TarEntry& from) {
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            &archive_entry_free);
  archive_entry_set_pathname(entry.get(), from.name.c_str());
  archive_entry_set_filetype(entry.get(), from.directory ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm(entry.get(), from.directory ? 0755 : 0644);
  archive_entry_set_mtime(entry.get(), from.mtime_s, from.mtime_ns);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(from.data.size()));
  require_ok(writer, archive_write_header(writer, entry.get()));
  if (from.data.empty()) return;
  if (archive_write_data(writer, from.data.data(), from.data.size()) < 0)
    throw std::runtime_error(archive_error_string(writer));
}

// "12 key=value\n", where 12 counts itself.
size_t pax_length(size_t length_without_number) {
  size_t length = length_without_number;
  while (std::to_string(length).size() + length_without_number != length) ++length;
  return length;
}

}  // namespace

std::string make_tar(const std::vector<TarEntry>& entries, TarForm form) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // or libarchive takes no name outside ASCII
  std::string out;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                       &archive_write_free);
  require_ok(writer.get(), choose_form(writer.get(), form));
  require_ok(writer.get(), archive_write_set_bytes_per_block(writer.get(), kBlockBytes));
  require_ok(writer.get(), archive_write_set_bytes_in_last_block(writer.get(), 1));
  require_ok(writer.get(),
             archive_write_open(writer.get(), &out, nullptr, append_to_string, nullptr));
  for (const TarEntry& entry : entries) write_entry(writer.get(), entry);
  require_ok(writer.get(), archive_write_close(writer.get()));
  return out;
}

std::string raw_header(const RawHeader& header) {
  std::string block(kBlockBytes, '\0');
  const auto put = [&](size_t offset, size_t length, const std::string& text) {
    block.replace(offset, std::min(length, text.size()), text.substr(0, length));
  };
  put(0, 100, header.name);
  put(100, 8, header.mode);
  put(108, 8, header.uid);
  put(116, 8, "0000000");
  put(124, 12, header.size);
  put(136, 12, header.mtime);
  put(156, 1, std::string(1, header.type));
  put(257, 8, header.magic);
  put(329, 8, "0000000");
  put(337, 8, "0000000");
  put(345, 155, header.prefix);
  seal_header(block);
  return block;
}

void seal_header(std::string& tar, size_t offset) {
  tar.replace(offset + kChecksumOffset, 8, 8, ' ');
  unsigned sum = 0;
  for (size_t i = 0; i < kBlockBytes; ++i) sum += static_cast<unsigned char>(tar[offset + i]);
  tar.replace(offset + kChecksumOffset, 7, octal(sum, 6));
}

std::string octal(uint64_t value, size_t digits) {
  std::string text = fmt::format("{:0{}o}", value, digits);
  text.push_back('\0');
  return text;
}

std::string base256(int64_t value) {
  std::string text(12, value < 0 ? '\xff' : '\0');
  auto rest = static_cast<uint64_t>(value);
  for (size_t i = 0; i < 8; ++i, rest >>= 8) text[11 - i] = static_cast<char>(rest & 0xff);
  text[0] = value < 0 ? '\xff' : '\x80';
  return text;
}

std::string padded(std::string_view data) {
  std::string out(data);
  out.resize((data.size() + kBlockBytes - 1) / kBlockBytes * kBlockBytes, '\0');
  return out;
}

std::string raw_member(RawHeader header, std::string_view data) {
  header.size = octal(data.size());
  return raw_header(header) + padded(data);
}

std::string pax_record(std::string_view key, std::string_view value) {
  const std::string tail = fmt::format(" {}={}\n", key, value);
  return std::to_string(pax_length(tail.size())) + tail;
}

std::string pax_member(std::string_view records, char type) {
  RawHeader header;
  header.name = "PaxHeaders.0/file";
  header.type = type;
  return raw_member(header, records);
}

std::string long_name_member(std::string_view name) {
  RawHeader header;
  header.name = "././@LongLink";
  header.type = 'L';
  header.magic = std::string("ustar  ") + '\0';
  return raw_member(header, std::string(name) + '\0');
}

std::string tar_trailer() {
  return std::string(2 * kBlockBytes, '\0');
}

}  // namespace tsmfs::support
