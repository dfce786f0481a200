#include "textflag.h"

// CANDIDATE compares the sixteen bytes in TEXT with those at the position in the
// lower bits of BUCKET, and leaves its rank in BX. XORL makes ones of the bytes
// that differ, and one more behind the last. DX is the position compared
// with, less one, DI its address. The distance, less one, is in AX.
#define CANDIDATE(BUCKET, TEXT) \
	MOVQ     DX, AX        \
	SUBQ     BUCKET, AX    \
	ANDL     $0x7FFF, AX   \
	MOVQ     DI, CX        \
	SUBQ     AX, CX        \
	MOVOU    (CX), X2      \
	PCMPEQB  TEXT, X2      \
	PMOVMSKB X2, BX        \
	XORL     $0x1FFFF, BX  \
	BSFL     BX, BX        \
	SHLQ     $16, BX       \
	SUBQ     AX, BX

// BETTER keeps the greater one in BEST.
#define BETTER(BUCKET, TEXT, BEST) \
	SHRQ    $16, BUCKET  \
	CANDIDATE(BUCKET, TEXT) \
	CMPQ    BX, BEST     \
	CMOVQGT BX, BEST

// func best2(w *window, pos int, b, b1 uint64) (k, k1 int)
TEXT ·best2(SB), NOSPLIT, $0-48
	MOVQ  w+0(FP), DI // the memory is first in it
	MOVQ  pos+8(FP), DX
	MOVQ  b+16(FP), R8
	MOVQ  b1+24(FP), R9
	ADDQ  DX, DI
	MOVOU (DI), X0
	MOVOU 1(DI), X1
	DECQ  DX
	DECQ  DI

	CANDIDATE(R8, X0)
	MOVQ BX, R10
	BETTER(R8, X0, R10)
	BETTER(R8, X0, R10)
	BETTER(R8, X0, R10)

	INCQ DX
	INCQ DI
	CANDIDATE(R9, X1)
	MOVQ BX, R11
	BETTER(R9, X1, R11)
	BETTER(R9, X1, R11)
	BETTER(R9, X1, R11)

	ADDQ $0xFFFF, R10
	ADDQ $0xFFFF, R11
	MOVQ R10, k+32(FP)
	MOVQ R11, k1+40(FP)
	RET
