use nanodb_index::hash_id;

/// From the reference implementation of XXH3-64 (`python-xxhash`, `xxh3_64_intdigest`).
const GOLDEN: &[(u64, &[u8], u64)] = &[
    (0, b"", 0x2d06_8005_38d3_94c2),
    (0, b"\x01", 0xe12e_f9d2_eb86_ceeb),
    (42, b"\x01", 0x6f01_c92c_ab64_dc93),
    (0, b"ada", 0x691d_4463_952c_802f),
    (1, b"\xcd\x03\xe8", 0x42b2_dde8_7661_c7eb),
    (0x9e37_79b9_7f4a_7c15, b"\xa8user:001", 0x1a7f_0e75_0b64_400f),
    (7, &[b'a'; 16], 0xcb35_3cb6_ee0c_f216),
    (7, &[b'a'; 17], 0x2272_b5f7_4d27_b8cc),
    (7, &[b'b'; 128], 0xd101_f6d3_3338_6c30),
    (7, &[b'b'; 129], 0x62b8_47c6_62f4_20b3),
    (7, &[b'c'; 240], 0x3e56_7b49_9599_f28e),
    (7, &[b'c'; 241], 0x9119_c901_5daa_8054),
    (7, &[b'd'; 512], 0xf720_cf40_6b21_0c5e),
];

#[test]
fn hashes_are_what_files_were_written_by() {
    for &(seed, key, hash) in GOLDEN {
        assert_eq!(hash_id(seed, key), hash, "seed {seed}, key {key:?}");
    }
}
