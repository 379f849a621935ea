"""XXH3-128 in Python against python3-xxhash, which knows it with the default secret only."""
import random
import unittest

import xxhash

import xxh3

DEFAULT_SECRET = bytes.fromhex(
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221'
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8'
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb'
    '170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e')
LENGTHS = [*range(1, 300), *range(1000, 1100), 2047, 2048, 2049, 4096, 65536 + 5, 1 << 20]

SECRET = bytes((i * i * 7 + 3 * i + 5) % 251 for i in range(192))
# Of XXH3_128bits_withSecret() in libxxhash 0.8.1: digests of sample(length) with SECRET.
WITH_SECRET = {
    0: '2a0dd65a63ca98bbbb3824ef10951fba',
    1: '30da71df246fbed1b83145e367fe57f0',
    3: 'f1d78c4694df1eec22e2e6828e931ca4',
    4: '7631a40d3e9700d2296e6b937c03acc6',
    8: 'ed65a1b6bd1dd677f24c070aac03005f',
    9: '1b92e7419c2d147c7777f70ff8cfa96d',
    16: 'c27e4c88004682311c8edb65064159f2',
    17: '8608812b46dc75e84df3bd52751522db',
    128: '982a9dedff08faac17e020fd46230909',
    129: 'e63f1f86878fa5966f9c3014ed4d25ac',
    240: '6394e7dcb1e6d57b267fc9650ded1020',
    241: 'f519a0bf8e9762934f3c08ef276ed836',
    1024: 'f58229b6f0b29b444236b1658120a685',
    1025: 'c9b201562300f2aeb7458edd94c8448b',
    5000: '0a4d896cd338ae1e17f9d2ee5d85e2a6',
}


def sample(length):
    return bytes((i * i * 11 + i + 1) % 253 for i in range(length))


class Xxh3(unittest.TestCase):
    def test_agrees_at_each_length(self):
        data = random.Random(1).randbytes(max(LENGTHS))
        for length in [0, *LENGTHS]:
            self.assertEqual(xxh3.digest(data[:length], DEFAULT_SECRET), xxhash.xxh3_128_digest(data[:length]), length)

    def test_agrees_with_another_secret(self):
        for length, digest in WITH_SECRET.items():
            self.assertEqual(xxh3.digest(sample(length), SECRET).hex(), digest, length)

    def test_refuses_a_short_secret(self):
        with self.assertRaises(ValueError):
            xxh3.digest(b'', bytes(135))


if __name__ == '__main__':
    unittest.main()
