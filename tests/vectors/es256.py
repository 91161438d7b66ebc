"""Made by cwt and OpenSSL, for the identity of 32 zero bytes: a P-256 key, its signature over the
payload b"payload" of a Targets, and a time file. ECDSA takes a random number, so tests of the
device have these bytes as they are."""

PUBLIC = (
    "043219a739b62d507bcd6455738c88b92380abcb33d13d401b596d625849d4717130d5b5d2bea603"
    "70554ac90fbf843c5113f94753e87d67df2d4dfa92488a38c3"
)
ROLE = (
    "7a575ea5ef6aae72c4ad678c3c02723898135a77f4c187c1088c7c85eca121d2967a79e7c7c6c80c"
    "efaf1e5502ac2e069447ab6909bd64e87c63853045ec292d"
)
TIME_FILE = (
    "d28443a10126a104485a7675912943036c56a401010204031a6553f1000481486e6f6e63652d2d38"
    "5840f6218595a166b9bb775f84304778c5f492ade09720711f95d9f9c8bde808f0feba798cbb692d"
    "299b7309a8452285ad8910c9922508945e3ec6cd5bcf99d35533"
)
