#include "tests/fuzz/memory_limit.h"

#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define TSMFS_FUZZ_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TSMFS_FUZZ_ASAN
#endif
#endif
#ifdef TSMFS_FUZZ_ASAN
// As in clang's sanitizer/allocator_interface.h, which gcc has not, though its library has these.
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void* memory, size_t bytes),
    void (*on_free)(const volatile void* memory));
extern "C" size_t __sanitizer_get_allocated_size(const volatile void* memory);
#endif

namespace {

thread_local int64_t t_used = 0;
thread_local int64_t t_limit = 0;  // 0: none

void count(size_t bytes) {
  t_used += static_cast<int64_t>(bytes);
  if (t_limit == 0 || t_used <= t_limit) return;
  std::fprintf(stderr, "fuzz: %lld bytes of memory in use, more than the %lld allowed\n",
               static_cast<long long>(t_used), static_cast<long long>(t_limit));
  t_limit = 0;
  std::abort();
}

void discount(size_t bytes) {
  t_used -= static_cast<int64_t>(bytes);
}

}  // namespace

#ifdef TSMFS_FUZZ_ASAN

namespace {

// AddressSanitizer has an operator new of its own, and says what it gives out.
const int g_hooked = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t bytes) { count(bytes); },
    [](const volatile void* memory) {
      if (memory != nullptr) discount(__sanitizer_get_allocated_size(memory));
    });

}  // namespace

#else

namespace {

void* allocate(size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  count(malloc_usable_size(memory));
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  discount(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

// The nothrow forms of the standard library call these.
void* operator new(size_t size) {
  return allocate(size);
}
void* operator new[](size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  release(memory);
}

#endif

namespace tsmfs::fuzz {

MemoryLimit::MemoryLimit(size_t bytes_max) {
#ifdef TSMFS_FUZZ_ASAN
  if (g_hooked == 0) std::abort();  // nothing would be counted
#endif
  t_used = 0;
  t_limit = static_cast<int64_t>(bytes_max);
}

MemoryLimit::~MemoryLimit() {
  t_limit = 0;
}

}  // namespace tsmfs::fuzz
