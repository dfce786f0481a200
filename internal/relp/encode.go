package relp

import (
	"bytes"
	"strconv"
)

// AppendFrame appends a frame. The command is one to 32 ASCII letters; data has
// fewer than 1,000,000,000 bytes.
func AppendFrame(dst []byte, txnr Txnr, command string, data []byte) []byte {
	dst = appendHeader(dst, txnr, command, len(data))
	return append(append(dst, data...), '\n')
}

// appendHeader appends all before the data.
func appendHeader(dst []byte, txnr Txnr, command string, length int) []byte {
	dst = append(strconv.AppendUint(dst, uint64(txnr), 10), ' ')
	dst = append(append(dst, command...), ' ')
	dst = strconv.AppendInt(dst, int64(length), 10)
	if length > 0 {
		dst = append(dst, ' ')
	}
	return dst
}

func appendText(dst []byte, txnr Txnr, command, data string) []byte {
	dst = appendHeader(dst, txnr, command, len(data))
	return append(append(dst, data...), '\n')
}

// AppendOpen appends the frame with which a client begins a session. software
// names it, as "name,version,address"; it must not contain LF. Version 0 is
// offered because that is the only one librelp accepts.
func AppendOpen(dst []byte, txnr Txnr, software string) []byte {
	return appendText(dst, txnr, "open", offerText(0, software))
}

// AppendSyslog appends the frame that carries one message.
func AppendSyslog(dst []byte, txnr Txnr, text []byte) []byte {
	return AppendFrame(dst, txnr, "syslog", text)
}

// AppendClose appends the frame with which a client ends a session. It must be
// the last one; the server answers it after all others.
func AppendClose(dst []byte, txnr Txnr) []byte {
	return appendText(dst, txnr, "close", "")
}

// Response is what a "rsp" frame says.
type Response struct {
	Code int    // 200: done; everything else is an error
	Text []byte // for a person
	Data []byte // the server's offers in the answer to open
}

// ParseResponse reads the data of a "rsp" frame. Text and Data alias it. No
// data at all, librelp's answer to close, counts as 200.
func ParseResponse(data []byte) (Response, error) {
	if len(data) == 0 {
		return Response{Code: 200}, nil
	}
	code, n := parseNumber(data)
	if n != 3 || len(data) > 3 && data[3] != ' ' && data[3] != '\n' {
		return Response{}, protocolErrorf(BadReply, "response %.20q does not begin with a code of three digits", data)
	}
	text, rest, _ := bytes.Cut(data[3:], []byte{'\n'})
	return Response{Code: code, Text: bytes.TrimPrefix(text, []byte{' '}), Data: rest}, nil
}
