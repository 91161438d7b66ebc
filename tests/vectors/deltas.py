"""Patches of detools 0.53 between images that are computed here, small enough to be read.

A vector is (scale of its images, bits of the window, layout or None, the patch).
`tests/host/test_oem_deltas.py` holds that detools makes the same today.
"""

from binascii import unhexlify


def noise(seed: int, n: int) -> bytes:
    """n bytes without any order, the same everywhere: xorshift32."""
    state = seed
    made = bytearray(n)
    for i in range(n):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        made[i] = state >> 11 & 0xFF
    return bytes(made)


def moved(code: bytes, step: int) -> bytes:
    """As a linker does it: every 37th byte is an address that has moved."""
    made = bytearray(code)
    for i in range(0, len(made), 37):
        made[i] = (made[i] + step) & 0xFF
    return bytes(made)


def images(scale: int) -> "tuple[bytes, bytes]":
    """An old and a new image of about 300 bytes times `scale`: a part moved with its addresses
    adjusted, one left out, one written anew, runs of zeros."""
    a, b, c = noise(1, 120 * scale), noise(2, 90 * scale), noise(3, 60 * scale)
    old = a + b + bytes(30 * scale) + c
    new = (
        moved(a, 5)
        + noise(4, 12 * scale)
        + bytes(34 * scale)
        + moved(c, 9)
        + b[: 80 * scale]
        + b"end"
    )
    return old, new


SMALL = (
    2,
    8,
    None,
    unhexlify(
        "04a70944806c207051323127f124a8c44247369742a1955dc76eaf45f7506b519f5697cf149665ea"
        "fd1e2ed205081208a46d2045d46002f091277f441740b87800c703b2dbac9f9828"
    ),
)
LARGE = (
    16,
    10,
    None,
    unhexlify(
        "04a34c65806023d0504c46093fc127f824ff049fe093fc127f824ff048b58081c4247369742a1955"
        "dc76eaf45f7506b519f5697cf149665eafd1e2d7ee900eaf878fefbcffb71b9a0516ff05ef6da5f8"
        "2d2703f5ab987b6c779f7e535112fcf82d722e4fbb1566b6e1b031dc158e9350fedc72dadf9df263"
        "57b7eaf6d528068203ff94cbfa747e77c34195ee4f633f5ea61a41be8e533c32daadaed157fbd420"
        "147c3d2655bcca66f0df5b7716876bab5872170e4c725953f8ea25132dac4a89129d53b19188f523"
        "d5e9ee4ee7516e46c3192e8446ad526e5ecbffdacbf6e43b1aef93772fb35c65d5081ddee79dcee8"
        "38976f3ca2c53ee1e822d808090a2300039c080e822c11100007f8009e84824ff049fe093fc125ff"
        "025b808a3ff3a001fe003fc007f800ff0018903b2dbac9dc8b80"
    ),
)
SHIFTED = (
    8,
    8,
    (4096, 512, 1536),
    unhexlify(
        "14804080088018a0259326448060211051323127f127f127f125baf00c1602118083a73f893f893f"
        "891fe02031091cda5d0a8655771dbabd17dd41ad467d5a5f3c525997abf478b5fba403abe1e3fbef"
        "3fedc6e68145bfc17bdb697e0b49c0fd6ae61edb1de7df94d444bf3e0b5c8b93eec559adbaf8ac02"
        "0120c36063b82b1d26a1fdb8e5b5bf3be4c6af6fd5edaa500d0407ff2997f4e8fcef86832bdcc846"
        "a408a4160c041da88c01fc012e1224fe249f560182c846721044e7f127f0010f045b610313a3007f"
        "004cf83c81ec2059083223f803f803f8007c0ecb6eb263a140"
    ),
)
TIGHT = (
    8,
    10,
    (2560, 512, 1024),
    unhexlify(
        "14802880088010a02593266580602110504c46093fc126dd7903026020e42ffc125fe02031091cda"
        "5d0a8655771dbabd17dd41ad467d5a5f3c525997abf478b5fba403abe1e3fbef3fedc6e68145bfc1"
        "7bdb697e0b49c0fd6ae61edb1de7df94d444bf3e0b5c8b93eec559adba98120903c36063b82b1d26"
        "a1fdb8e5b5bf3be4c6af6fd5edaa500d0407ff2997f4e8fcef86832bdc15c46003af2b11c76924fe"
        "5fb73e51b3f1dd687768e47fcf288fd46a767af69eaf3ac57c38b47c95d731e1c07e61f99976d64f"
        "29d6d0f31528ffd6c7209e7b3c5cb926fb6566c376781dec27fb59b2fc5574b0aafc834b29aa6a71"
        "51f88703d717e65d7dddefddf74b828fc0bc71788fd72980e5cfa6f96b14a29f05f0526c54bb1dd3"
        "4522d57ef0b24c3e2ff738cbf4fa942ced4253f68de1e4d9ae34c7d1fbf94cff139f443a0da1c8d6"
        "777ddae65b39429f4afd918954bbe9c6cde37d980816a391a5d45631f56996d741abafe938bd2e3f"
        "aaad95967cbbb93f94df27f8cf4ff9950e0e4ac19187e3bc32ad755b1f0b804032105f5cd6c13c94"
        "e32a7eaea4cf9980cf5137928fbdcb1dd2b3fdf25b9f3ef3fddb8df2e8d47d764bb131bd6136559b"
        "bde371a89a4865f1aaede75566eddf6edc1d2c9fcd8eb3dbf73b2bcc4edf1aae55a23a3e8dd76fb1"
        "c2fb72157b5fee9308b3eb751b7d7dda7fc7f153b51fed5462852b92fa32deac3e1a733499f3b934"
        "4afc5601f0f56233f128e67bf76aa64f2c9c6d87774978d2fef0533d351b47c3eb7b27393d1e2b19"
        "12aa6a7f1be8442b01c48e74fd9ad9bf9a955dcce0f8577e9622b52efa43ef959f87aac7debbfc21"
        "5c1d86c28147cd72a0f5fc454a6b54a57ce5df8b464e77c3946c6fd25cc52ac583aaebf3575eb50a"
        "cdadce6c25b6d9feebb504fae17e7308b6f6ebabb261a896f8a55a5798d870ebda29e65357c8f97d"
        "7577de646a652c916f7bb06846a2916f92d23c92484446371782c3b61ece36dfc7e7a5427938dea5"
        "4eb3b28a46b89c3bb6f6f189ea70e5570fed9a0d9fe94cb01018046b15d5fd796f7d8f467387dacf"
        "f9789f0f0fc6d3f9c6f9ea72e806c1ae01000aef80b202c9c1b5fe290c5ad1b9ea472b938c240765"
        "5edcebaa51991ce359b0b16739938f05eb7b77a2d5a95e3f6e22277f93446d5f0dcffeed94eccffe"
        "356f7e0b19009454a1385a1cdb79fea85239b4cd5d234be2a44665b1c955d31786b7d7f592e87d9e"
        "a1c1f6cbe176edf5e33fbcaa752fd98a269a0fd7c0c8e4bd9afc1eb3c9f1dfa0ba6a7476734df8d1"
        "ae9d3c85a747b5b771675498dde73f97e56bbd75a9a5739d2caf44b5f2f9aee2794df460fcf9cc87"
        "434f6dd17ea6b7ac742aaf91efc53cf318d79319928d7af776ea56779365a7cc64be1b960be1be8b"
        "73e7f108bd93aff388f4f652cf6de237d39fe23179ba077fb3f3c650b213ad85c3eb4feecd33714f"
        "b7f3c366c05af3191985e28395d7c769bcbdfc1b5191f05c37f38e043f1981d0d9ee77f9fd3af7c8"
        "eec1b2d9f9c56fd705b0457dd7092c3305e0ea45b511d9a767ed6cc85a6ff25e059ff13e87dde5df"
        "6eae721991fd693352aebe4bc743b5ea68fc3d5dfa7dade9c122f3799517f9c4ffcef73feb1dba2f"
        "edb85d73b8bbbcbfabb78c5d6ddf097d2a770aeadff45a5e9cc6ddfcb8c931766cf75a2bd5bdfe21"
        "50dd177aad51a7f834b00e24c21bafee62e81d9fff820517956e609f3957f2e748b17eecb6eb2400"
    ),
)
WIDE = (
    8,
    10,
    (4096, 1024, 2048),
    unhexlify(
        "14804080108020a025932665806021f0504c46093fc127f824ff049358080c4247369742a1955dc7"
        "6eaf45f7506b519f5697cf149665eafd1e2d7ee900eaf878fefbcffb71b9a0516ff05ef6da5f82d2"
        "703f5ab987b6c779f7e535112fcf82d722e4fbb1566b6ea60500804830d818ee0ac749a87f6e396d"
        "6fcef931abdbf57b6a94034101ffca65fd3a3f3be1a0caf73211a9008a20b06c06a12000cb848247"
        "ed041653f68de1e4d9ae34c7d1fbf94cff139f443a0da1c8d6777ddae65b39429f4afd918954bbe9"
        "c6cde37d980816a391a5d45631f56996d741abafe938bd2e3faaad95967cbbb93f94df27f8cf4ff9"
        "950e0e4ac19187e3bc32ad755bd735b04f2538ca9faba933e66033d44de4a3ef72c774acff7c96e7"
        "cfbcff76e37cba351f5d92ec4c6f584d9566ef78dc6a2692197c6abb79d559bb77dbb7074b27f363"
        "acf6fdcecaf313b7c6ab95688e8fa375dbec70bedc855ed7fba4c22cfadd46df5f769ff1fc54ed47"
        "fb5518a14ae4be8cb7ab0f869ccd267cee4d12bf15807c3d588cfc4a399efddaa993cb271b61ddd2"
        "5e34bfbc14cf4d46d1f0fadec9ce4f478ac644aa9a9fc6fa110ac071239d3f66b66fe6a55773383e"
        "15dfa588ad4bbe90fbe567e1eab1f7aeff08570761b0a051f35ca83d7f11529ad5295f3977e2d193"
        "9df0e51b1bf497314ab160eabafcd5d7ad42b36b739b096db67fbaed413eb85f9cc22dbdbaeaec98"
        "6a25be295695e6361c3af68a7994d5f23e5f5d5df7991a994b245bdeec1a11a8a45be4b48f249381"
        "11d840d6af7c03e03c80f6102c84187cf80009e81d96dd64e6c0c0"
    ),
)
