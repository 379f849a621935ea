#include "snapshot/influxdb/path_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

using Json = nlohmann::json;

// Accepts exactly one object with the one key "Paths", and stops the parser at the first other
// thing.
class PathListReader : public nlohmann::json_sax<Json> {
 public:
  explicit PathListReader(std::string_view database) : database_(database) {}

  bool start_object(std::size_t) override { return step(State::kStart, State::kObject); }
  bool key(string_t& name) override {
    if (name != "Paths") return fail("it holds " + quote(name));
    return step(State::kObject, State::kValue);
  }
  bool null() override { return step(State::kValue, State::kListed); }
  bool start_array(std::size_t) override { return step(State::kValue, State::kArray); }
  bool string(string_t& text) override {
    if (state_ != State::kArray) return unexpected();
    text = with_slashes(std::move(text));
    const bool is_of_database = text.starts_with(database_) &&
                                std::string_view(text).substr(database_.size()).starts_with('/');
    if (!is_of_database) return fail(quote(text) + " is of another database");
    if (list.shards.size() + list.unusable.size() == kPathsMax)
      return fail(fmt::format("it has more than {} paths", kPathsMax));
    if (const auto path = parse_shard_path(text))
      list.shards.push_back(*path);
    else
      list.unusable.push_back(std::move(text));
    return true;
  }
  bool end_array() override { return step(State::kArray, State::kListed); }
  bool end_object() override { return step(State::kListed, State::kEnd); }

  bool boolean(bool) override { return unexpected(); }
  bool number_integer(number_integer_t) override { return unexpected(); }
  bool number_unsigned(number_unsigned_t) override { return unexpected(); }
  bool number_float(number_float_t, const string_t&) override { return unexpected(); }
  bool binary(binary_t&) override { return unexpected(); }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    return fail(fmt::format("it is not JSON from byte {} on, or cut short there", position));
  }

  PathList list;
  std::string why;

 private:
  enum class State { kStart, kObject, kValue, kArray, kListed, kEnd };
  bool step(State from, State to) {
    if (state_ != from) return unexpected();
    state_ = to;
    return true;
  }
  bool unexpected() { return fail("it is not of the form {\"Paths\":[...]}"); }
  bool fail(std::string reason) {
    if (why.empty()) why = std::move(reason);
    return false;
  }

  std::string_view database_;
  State state_ = State::kStart;
};

}  // namespace

PathList parse_path_list(std::string_view json, std::string_view database, std::string_view label) {
  PathListReader reader(database);
  const auto fail = [&](std::string_view why) {
    return ProtocolError(fmt::format("{}: the list of shards is not usable: {}", label, why));
  };
  if (!Json::sax_parse(json.begin(), json.end(), &reader)) throw fail(reader.why);
  std::vector<ShardPath>& shards = reader.list.shards;
  std::ranges::sort(shards);
  const auto twice = std::ranges::adjacent_find(shards);
  if (twice != shards.end()) throw fail(quote(twice->text()) + " comes twice");
  return std::move(reader.list);
}

}  // namespace tsmfs::snapshot
