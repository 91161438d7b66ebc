"""ECDSA on P-256 with SHA-256: RFC 6979, A.2.5, and cases at the edges, made for this project by
another implementation (OpenSSL) from keys of 1, 2, 3, 5, n - 1 and the like: sums that meet the
point at infinity or a point twice."""

PUBLIC = (
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
RFC6979 = (
    (
        b"sample",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    (
        b"test",
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
        "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    ),
)
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
# (public key, message, signature) that verify
EDGES = (
    (
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        b"edge",
        "b32c35a572478fcfda6efec5094eba07e385ca038008780d3de9f6c2733e77a7"
        "5f642f218d3cf027b3b506eb0af466ced0a23dff942f83f99973b09fb83ba35d",
    ),
    (
        "047cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
        "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1",
        b"edge",
        "68bfef9eb37e6eedf5d00f48ff1e7e4d0f5aac2d2886c040480ffb8a69dfad92"
        "76ac71be5a91b3c0d9d86fc331848793dfe8176f4d40808b1af423a26bcf4c11",
    ),
    (
        "045ecbe4d1a6330a44c8f7ef951d4bf165e6c6b721efada985fb41661bc6e7fd6c"
        "8734640c4998ff7e374b06ce1a64a2ecd82ab036384fb83d9a79b127a27d5032",
        b"edge",
        "24829976e0be7fddee392fdc5004d5c545bf712fa44bb939fa74673b5a134810"
        "e3301b49ee8897a98a1010ce6af61e5177514af32b6b877844c295fe72e8504e",
    ),
    (
        "0451590b7a515140d2d784c85608668fdfef8c82fd1f5be52421554a0dc3d033ed"
        "e0c17da8904a727d8ae1bf36bf8a79260d012f00d4d80888d1d0bb44fda16da4",
        b"edge",
        "25e02c67acc77921b715dac435ae7828defa1ea45f6f36391181e4cc6606be6b"
        "ce274f00554b1ad3d85e6e8a11a225e0b87c19e358364744b32475ef8e1745ac",
    ),
    (
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a",
        b"edge",
        "fc44bfe8261dbc895a6815db6318d6c1f73476489e9be4f4e98785aa8918469d"
        "e77bc16dd934f3ea0dd29af87629a5fe5405a7db84ea0a66866ea5d096c51a96",
    ),
    (
        "047cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
        "f888aaee24712fc0d6c26539608bcf244582521ac3167dd661fb4862dd878c2e",
        b"edge",
        "2520333d0f28873f7e5ead4fddbadf33c0337dcb0dfd13e5a4e288e3e1047761"
        "f66a1714ab76f461b43984b24e4cb0dd4609d44d52a92b57c2948bd3a4acba93",
    ),
    (
        "042afa386b3f2bdcdb83f4d83f8fa3874d7b74dcb454bd644fdd6bf3d1f2da8db6"
        "8de7b41d3557a9cc9d4ac90ef7ad299a51759b030e1472b36b952a7686908d63",
        b"edge",
        "db8e692f16fbb3de17fd2474b54dae698bea19c49ecdeba4a907d1abd2db395d"
        "7e8b2d084d91a46ac41c62a72b9f6025f1c4c9e60af70be6721fd5c50ca408a1",
    ),
    (
        "04c6736c525214ee927c956e2e0d61d6e2c8b585e9eb87bef9a9e82e2817f2521c"
        "c736d60b403d8c0adc36dac308ca6bcd02b4f7944f2eb8330d6c80ef713bb6a6",
        b"edge",
        "100effdbc0e5a386048b0931a3a3bc9949d3875670819d1bf7c43440fa16ea8f"
        "804070b80b6da7ff0b67e218b3554323261634a30a7473a45fec2a46d1fe770c",
    ),
    (
        "04ea68d7b6fedf0b71878938d51d71f8729e0acb8c2c6df8b3d79e8a4b90949ee0"
        "2a2744c972c9fce787014a964a8ea0c84d714feaa4de823fe85a224a4dd048fa",
        b"edge",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "65a1719d4277c64e8dcabc8ca7aaab91612c68a8beb9b4c7a9de591f175ba456",
    ),
)
# ... and one whose sum is the point at infinity, which verifies for nobody
INFINITY = (
    "04c6736c525214ee927c956e2e0d61d6e2c8b585e9eb87bef9a9e82e2817f2521c"
    "38c929f3bfc273f623c9253cf7359432fd4b086cb0d147ccf2937f108ec44959",
    b"edge",
    "100effdbc0e5a386048b0931a3a3bc9949d3875670819d1bf7c43440fa16ea8f"
    "0000000000000000000000000000000000000000000000000000000000000005",
)
