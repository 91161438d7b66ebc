"""ISO 14229-1's own numbers, and the routine and data identifiers that muptane adds to them.

Names are those of the standard. The identifiers of ours stand in the ranges that ISO 14229-1
leaves to the vehicle maker. The host imports this module too, so it imports nothing.
"""

# --- services --------------------------------------------------------------------------------
DIAGNOSTIC_SESSION_CONTROL = 0x10
ECU_RESET = 0x11
CLEAR_DIAGNOSTIC_INFORMATION = 0x14
READ_DTC_INFORMATION = 0x19
READ_DATA_BY_IDENTIFIER = 0x22
SECURITY_ACCESS = 0x27
COMMUNICATION_CONTROL = 0x28
AUTHENTICATION = 0x29
WRITE_DATA_BY_IDENTIFIER = 0x2E
ROUTINE_CONTROL = 0x31
REQUEST_DOWNLOAD = 0x34
REQUEST_UPLOAD = 0x35
TRANSFER_DATA = 0x36
REQUEST_TRANSFER_EXIT = 0x37
TESTER_PRESENT = 0x3E
CONTROL_DTC_SETTING = 0x85
NEGATIVE_RESPONSE = 0x7F
POSITIVE = 0x40  # added to the service of the request
SUPPRESS = 0x80  # suppressPosRspMsgIndicationBit of a sub-function

# --- negative response codes -----------------------------------------------------------------
NRC_SERVICE_NOT_SUPPORTED = 0x11
NRC_SUB_FUNCTION_NOT_SUPPORTED = 0x12
NRC_INCORRECT_LENGTH = 0x13
NRC_RESPONSE_TOO_LONG = 0x14
NRC_CONDITIONS_NOT_CORRECT = 0x22
NRC_REQUEST_SEQUENCE_ERROR = 0x24
NRC_REQUEST_OUT_OF_RANGE = 0x31
NRC_SECURITY_ACCESS_DENIED = 0x33
NRC_INVALID_KEY = 0x35
NRC_EXCEEDED_NUMBER_OF_ATTEMPTS = 0x36
NRC_REQUIRED_TIME_DELAY_NOT_EXPIRED = 0x37
NRC_OWNERSHIP_VERIFICATION_FAILED = 0x58
NRC_UPLOAD_DOWNLOAD_NOT_ACCEPTED = 0x70
NRC_TRANSFER_DATA_SUSPENDED = 0x71
NRC_GENERAL_PROGRAMMING_FAILURE = 0x72
NRC_WRONG_BLOCK_SEQUENCE_COUNTER = 0x73
NRC_RESPONSE_PENDING = 0x78
NRC_SUB_FUNCTION_NOT_IN_SESSION = 0x7E
NRC_SERVICE_NOT_IN_SESSION = 0x7F

# --- sessions and sub-functions --------------------------------------------------------------
SESSION_DEFAULT = 1
SESSION_PROGRAMMING = 2
SESSION_EXTENDED = 3
HARD_RESET = 1
KEY_OFF_ON_RESET = 2
SOFT_RESET = 3
START_ROUTINE = 1
STOP_ROUTINE = 2
REQUEST_ROUTINE_RESULTS = 3
NUMBER_OF_DTC_BY_STATUS_MASK = 0x01
DTC_BY_STATUS_MASK = 0x02
SUPPORTED_DTC = 0x0A
REQUEST_SEED = 1
SEND_KEY = 2
ENABLE_RX_AND_TX = 0
ENABLE_RX_AND_DISABLE_TX = 1
DISABLE_RX_AND_ENABLE_TX = 2
DISABLE_RX_AND_TX = 3
DE_AUTHENTICATE = 0
REQUEST_CHALLENGE_FOR_AUTHENTICATION = 5
VERIFY_PROOF_OF_OWNERSHIP_UNIDIRECTIONAL = 6
AUTHENTICATION_CONFIGURATION = 8
DTC_SETTING_ON = 1
DTC_SETTING_OFF = 2

# What 0x29 returns besides: its authenticationReturnParameter.
REQUEST_ACCEPTED = 0x00
CHALLENGE_RESPONSE_SYMMETRIC = 0x04
DE_AUTHENTICATION_SUCCESSFUL = 0x10
AUTHENTICATION_COMPLETE = 0x12

# --- DTCs: DTC_GROUP, the refusal number, DTC_FAILURE_TYPE --------------------------------------
DTC_GROUP = 0xD1  # U11xx: network, the vehicle maker's
DTC_FAILURE_TYPE = 0x00  # no more is known
DTC_FORMAT = 0x01  # ISO 14229-1
STATUS_FAILED = 0x01
STATUS_FAILED_THIS_CYCLE = 0x02  # an operation cycle is a life, from reset to reset
STATUS_CONFIRMED = 0x08
STATUS_FAILED_SINCE_CLEAR = 0x20
STATUS_AVAILABLE = 0x2B  # those four

ADDRESS_FORMAT = 0x46  # RequestDownload: 4 bytes of size, 6 bytes of address (a file number)

# --- routines (vehicle maker's range) --------------------------------------------------------
RID_CYCLE = 0x0200  # begin an update cycle
RID_WANTS = 0x0201  # what do you want next?
RID_ANSWER = 0x0202  # file number (6), ANSWER_...: an answer that is not bytes
RID_INSTALL = 0x0203  # put the verified image on trial
RID_COMMIT = 0x0204  # bundle number u32: confirm what is held for it
RID_ROLLBACK = 0x0205  # bundle number u32: give up what is not confirmed of it
RID_LISTEN = 0x0206  # tag u8, a RequestDownload: take it from the broadcast; how far is it?

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
DID_FINGERPRINT = 0xF15A  # vehicle maker's: who flashes, as he says; the one that can be written
DID_SESSION = 0xF186  # ISO: ActiveDiagnosticSessionDataIdentifier
DID_ECU = 0xF18C  # ISO: ECUSerialNumberDataIdentifier; here the ECU id, u32
DID_VIN = 0xF190  # ISO: VINDataIdentifier
DID_INTERPRETER = 0xFD00  # text "name version"
DID_IMAGE = 0xFD01  # image number u32, release u32, length u32, SHA-256
DID_BOOT = 0xFD02  # u8: BOOT_...
DID_REFUSALS = 0xFD03  # refusal numbers since the last acknowledgement, u8 each
DID_HEAP = 0xFD04  # free bytes u32, allocated bytes u32
