"""ISO 14229-1's own numbers, and the routine and data identifiers that muptane adds to them.

Names are those of the standard. The identifiers of ours stand in the ranges that ISO 14229-1
leaves to the vehicle maker. The host imports this module too, so it imports nothing.
"""

# --- services --------------------------------------------------------------------------------
DIAGNOSTIC_SESSION_CONTROL = 0x10
ECU_RESET = 0x11
READ_DATA_BY_IDENTIFIER = 0x22
ROUTINE_CONTROL = 0x31
REQUEST_DOWNLOAD = 0x34
REQUEST_UPLOAD = 0x35
TRANSFER_DATA = 0x36
REQUEST_TRANSFER_EXIT = 0x37
TESTER_PRESENT = 0x3E
NEGATIVE_RESPONSE = 0x7F
POSITIVE = 0x40  # added to the service of the request
SUPPRESS = 0x80  # suppressPosRspMsgIndicationBit of a sub-function
WITH_SUB_FUNCTION = (
    DIAGNOSTIC_SESSION_CONTROL,
    ECU_RESET,
    ROUTINE_CONTROL,
    TESTER_PRESENT,
)

# --- negative response codes -----------------------------------------------------------------
NRC_SERVICE_NOT_SUPPORTED = 0x11
NRC_SUB_FUNCTION_NOT_SUPPORTED = 0x12
NRC_INCORRECT_LENGTH = 0x13
NRC_CONDITIONS_NOT_CORRECT = 0x22
NRC_REQUEST_SEQUENCE_ERROR = 0x24
NRC_REQUEST_OUT_OF_RANGE = 0x31
NRC_UPLOAD_DOWNLOAD_NOT_ACCEPTED = 0x70
NRC_TRANSFER_DATA_SUSPENDED = 0x71
NRC_GENERAL_PROGRAMMING_FAILURE = 0x72
NRC_WRONG_BLOCK_SEQUENCE_COUNTER = 0x73
NRC_RESPONSE_PENDING = 0x78
NRC_SERVICE_NOT_IN_SESSION = 0x7F

# --- sessions and sub-functions --------------------------------------------------------------
SESSION_DEFAULT = 1
SESSION_PROGRAMMING = 2
SESSION_EXTENDED = 3
HARD_RESET = 1
START_ROUTINE = 1

ADDRESS_FORMAT = 0x46  # RequestDownload: 4 bytes of size, 6 bytes of address (a file number)

# --- routines (vehicle maker's range) --------------------------------------------------------
RID_CYCLE = 0x0200  # begin an update cycle
RID_WANTS = 0x0201  # what do you want next?
RID_ANSWER = 0x0202  # file number (6), ANSWER_...: an answer that is not bytes
RID_INSTALL = 0x0203  # put the verified image on trial
RID_COMMIT = 0x0204  # bundle number u32: confirm what is held for it
RID_ROLLBACK = 0x0205  # bundle number u32: give up what is not confirmed of it

ANSWER_ABSENT = 0
ANSWER_LATER = 1
ANSWER_TAKEN = 2  # the offered file was fetched

# First byte of the status record of RID_WANTS
WANTS_NOTHING = 0  # no cycle runs, and the last one ended well
WANTS_FILE = 1  # CBOR [file number, detail, offset, cap, form] follows
WANTS_LATER = 2  # u16 milliseconds follow: ask again then
WANTS_REFUSED = 3  # u8 refusal number follows: the cycle ended
WANTS_INSTALL = 4  # an image is verified and waits for RID_INSTALL

# --- data identifiers ------------------------------------------------------------------------
DID_ECU = 0xF18C  # ISO: ECUSerialNumberDataIdentifier; here the ECU id, u32
DID_VIN = 0xF190  # ISO: VINDataIdentifier
DID_INTERPRETER = 0xFD00  # text "name version"
DID_IMAGE = 0xFD01  # image number u32, release u32, length u32, SHA-256
DID_BOOT = 0xFD02  # u8: BOOT_...
DID_REFUSALS = 0xFD03  # refusal numbers since the last acknowledgement, u8 each
DID_HEAP = 0xFD04  # free bytes u32, allocated bytes u32
