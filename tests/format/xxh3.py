"""XXH3-128 with a secret and seed 0, in plain Python from the xxHash specification: some 30 MB a second."""
import struct

MASK32 = 0xFFFFFFFF
MASK64 = 0xFFFFFFFFFFFFFFFF
PRIME32_1, PRIME32_2, PRIME32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
PRIME64_1, PRIME64_2, PRIME64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
PRIME64_4, PRIME64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
PRIME_MX1, PRIME_MX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25

SECRET_BYTES_MIN = 136
STRIPE_BYTES = 64
LANES = struct.Struct('<8Q')


def digest(data, secret):
    """The 16 bytes of the digest in canonical form: the high half first, both big-endian."""
    if len(secret) < SECRET_BYTES_MIN:
        raise ValueError(f'a secret of {len(secret)} bytes is too short')
    low, high = _hash_for(len(data))(bytes(data), bytes(secret))
    return struct.pack('>QQ', high & MASK64, low & MASK64)


def _hash_for(length):
    for length_max, function in ((0, _hash_0), (3, _hash_1_to_3), (8, _hash_4_to_8), (16, _hash_9_to_16),
                                 (128, _hash_17_to_128), (240, _hash_129_to_240)):
        if length <= length_max:
            return function
    return _hash_long


def _u32(data, at):
    return int.from_bytes(data[at:at + 4], 'little')


def _u64(data, at):
    return int.from_bytes(data[at:at + 8], 'little')


def _two(data, at):
    """Two neighbouring words of a secret, mixed."""
    return _u64(data, at) ^ _u64(data, at + 8)


def _swap(value, size):
    return int.from_bytes(value.to_bytes(size, 'little'), 'big')


def _fold(left, right):
    """The two halves of a 128-bit product, xored."""
    product = left * right
    return (product & MASK64) ^ (product >> 64)


def _avalanche(value):
    value &= MASK64
    value ^= value >> 37
    value = value * PRIME_MX1 & MASK64
    return value ^ value >> 32


def _avalanche_xxh64(value):
    value ^= value >> 33
    value = value * PRIME64_2 & MASK64
    value ^= value >> 29
    value = value * PRIME64_3 & MASK64
    return value ^ value >> 32


def _hash_0(_, secret):
    return _avalanche_xxh64(_two(secret, 64)), _avalanche_xxh64(_two(secret, 80))


def _hash_1_to_3(data, secret):
    length = len(data)
    low = data[0] << 16 | data[length >> 1] << 24 | data[-1] | length << 8
    high = _swap(low, 4)
    high = (high << 13 | high >> 19) & MASK32
    flip_low = _u32(secret, 0) ^ _u32(secret, 4)
    flip_high = _u32(secret, 8) ^ _u32(secret, 12)
    return _avalanche_xxh64(low ^ flip_low), _avalanche_xxh64(high ^ flip_high)


def _hash_4_to_8(data, secret):
    keyed = (_u32(data, 0) | _u32(data, len(data) - 4) << 32) ^ _two(secret, 16)
    product = keyed * (PRIME64_1 + (len(data) << 2))
    low = product & MASK64
    high = (product >> 64) + (low << 1) & MASK64
    low ^= high >> 3
    low ^= low >> 35
    low = low * PRIME_MX2 & MASK64
    return low ^ low >> 28, _avalanche(high)


def _hash_9_to_16(data, secret):
    first, last = _u64(data, 0), _u64(data, len(data) - 8)
    product = (first ^ last ^ _two(secret, 32)) * PRIME64_1
    low = (product & MASK64) + (len(data) - 1 << 54) & MASK64
    last ^= _two(secret, 48)
    high = (product >> 64) + last + (last & MASK32) * (PRIME32_2 - 1) & MASK64
    low ^= _swap(high, 8)
    product = low * PRIME64_2
    return _avalanche(product), _avalanche((product >> 64) + high * PRIME64_2)


def _mix_16(data, at, secret, secret_at):
    return _fold(_u64(data, at) ^ _u64(secret, secret_at), _u64(data, at + 8) ^ _u64(secret, secret_at + 8))


def _mix_32(state, data, left, right, secret, secret_at):
    low, high = state
    low = low + _mix_16(data, left, secret, secret_at) & MASK64
    low ^= _u64(data, right) + _u64(data, right + 8) & MASK64
    high = high + _mix_16(data, right, secret, secret_at + 16) & MASK64
    high ^= _u64(data, left) + _u64(data, left + 8) & MASK64
    return low, high


def _finish_mixed(state, length):
    low, high = state
    return (_avalanche(low + high),
            -_avalanche(low * PRIME64_1 + high * PRIME64_4 + length * PRIME64_2))


def _hash_17_to_128(data, secret):
    length = len(data)
    state = length * PRIME64_1 & MASK64, 0
    for pair in reversed(range((length - 1) // 32 + 1)):
        state = _mix_32(state, data, 16 * pair, length - 16 * (pair + 1), secret, 32 * pair)
    return _finish_mixed(state, length)


def _hash_129_to_240(data, secret):
    length = len(data)
    state = length * PRIME64_1 & MASK64, 0
    for i in range(4):
        state = _mix_32(state, data, 32 * i, 32 * i + 16, secret, 32 * i)
    state = _avalanche(state[0]), _avalanche(state[1])
    for i in range(4, length // 32):
        state = _mix_32(state, data, 32 * i, 32 * i + 16, secret, 3 + 32 * (i - 4))
    state = _mix_32(state, data, length - 16, length - 32, secret, SECRET_BYTES_MIN - 17 - 16)
    return _finish_mixed(state, length)


def _accumulate(lanes, data, start, stripes, keys):
    """Adds a number of stripes to the lanes. Sums are cut to 64 bits only once: nothing but addition happens in between."""
    words = struct.unpack_from(f'<{8 * stripes}Q', data, start)
    for i in range(8):
        column = words[i::8]
        mixed = [word ^ key for word, key in zip(column, keys[i:])]
        lanes[i] += sum([(word & MASK32) * (word >> 32) for word in mixed])
        lanes[i ^ 1] += sum(column)
    for i in range(8):
        lanes[i] &= MASK64


def _scramble(lanes, keys):
    for i, key in enumerate(keys):
        lane = lanes[i]
        lanes[i] = (lane ^ lane >> 47 ^ key) * PRIME32_1 & MASK64


def _merge(lanes, secret, secret_at, start):
    keys = LANES.unpack_from(secret, secret_at)
    keyed = [lane ^ key for lane, key in zip(lanes, keys)]
    return _avalanche(start + sum(_fold(keyed[i], keyed[i + 1]) for i in range(0, 8, 2)))


def _hash_long(data, secret):
    length, secret_end = len(data), len(secret) - STRIPE_BYTES
    lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1]
    # Stripe s of a block takes 8 words of the secret from word s on.
    keys = struct.unpack_from(f'<{len(secret) // 8}Q', secret)
    stripes_per_block = secret_end // 8
    block_bytes = stripes_per_block * STRIPE_BYTES
    blocks = (length - 1) // block_bytes
    scramble_keys = LANES.unpack_from(secret, secret_end)
    for block in range(blocks):
        _accumulate(lanes, data, block * block_bytes, stripes_per_block, keys)
        _scramble(lanes, scramble_keys)
    stripes = (length - 1 - blocks * block_bytes) // STRIPE_BYTES
    _accumulate(lanes, data, blocks * block_bytes, stripes, keys)
    _accumulate(lanes, data, length - STRIPE_BYTES, 1, LANES.unpack_from(secret, secret_end - 7))
    return (_merge(lanes, secret, 11, length * PRIME64_1),
            _merge(lanes, secret, secret_end - 11, ~(length * PRIME64_2) & MASK64))
