// What LeakSanitizer (presets sanitizers) is to pass over: libraries' leaks that are not ours to
// mend.

extern "C" const char* __lsan_default_suppressions();

// RocksDB 7.8 forgets the version that it was making when catching up with the primary fails.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:rocksdb::VersionEditHandlerPointInTime::MaybeCreateVersion\n";
}
