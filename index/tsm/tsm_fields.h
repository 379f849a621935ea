// The fields that a TSM file has points of, and of which types.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "index/format/byte_source.h"

namespace tsmfs::index {

// By measurement and field, "cpu#!~#usage": a measurement as it stands in a key, its commas and
// spaces escaped. One that has more types than one is a conflict, which influxd does not open.
using TsmFieldTypes = std::map<std::string, std::set<uint8_t>, std::less<>>;

// "cpu" of the series "cpu,host=a", escaped as it stands there. As models/points.go of InfluxDB 1.x
// has it (scanMeasurement): a character behind a backslash ends nothing, also when that backslash
// stands behind another one.
std::string_view escaped_measurement(std::string_view series);
// "a b" of "a\\ b": as people write it, and queries name it (unescapeMeasurement, there).
std::string unescape_measurement(std::string_view escaped);

// "cpu#!~#usage" of the key "cpu,host=a#!~#usage"; empty for a key that names no field.
std::string field_of_key(std::string_view key);

// Adds those of a file; false, with nothing sure of it added, for one that is no sound TSM file.
// Reads header, footer and index, not the blocks. Throws: what `source` throws.
bool add_field_types(ByteSource& source, TsmFieldTypes& types);

// "float", as InfluxDB calls it; "unknown" for none.
const char* tsm_type_name(uint8_t type);

}  // namespace tsmfs::index
