package firehose

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

var (
	namePattern   = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	rolePattern   = regexp.MustCompile(`^arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+$`)
	bucketPattern = regexp.MustCompile(`^arn:.*:s3:::[\w.\-]{1,255}$`)

	streamTypes = []string{"DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"}
)

// validation collects what a call's members violate, in the words of AWS.
type validation struct{ violations []string }

// err is nil if nothing was violated, else a ValidationException.
func (v *validation) err() error {
	switch len(v.violations) {
	case 0:
		return nil
	case 1:
		return &apiError{http.StatusBadRequest, codeValidation, "1 validation error detected: " + v.violations[0]}
	}
	return &apiError{
		http.StatusBadRequest, codeValidation,
		fmt.Sprintf("%d validation errors detected: %s", len(v.violations), strings.Join(v.violations, "; ")),
	}
}

func (v *validation) violated(member, value, rule string, args ...any) {
	const shown = 256
	if len(value) > shown {
		value = value[:shown] + "..."
	}
	v.violations = append(v.violations,
		fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must ", value, member)+fmt.Sprintf(rule, args...))
}

func (v *validation) missing(member string) {
	v.violations = append(v.violations, "Value null at '"+member+"' failed to satisfy constraint: Member must not be null")
}

// text checks a required string. pattern is shown without its anchors.
func (v *validation) text(member string, value *string, maxLength int, pattern *regexp.Regexp) {
	if value == nil {
		v.missing(member)
		return
	}
	if !pattern.MatchString(*value) {
		v.violated(member, *value, "satisfy regular expression pattern: %s", strings.Trim(pattern.String(), "^$"))
	}
	if *value == "" {
		v.violated(member, *value, "have length greater than or equal to 1")
	}
	if len(*value) > maxLength {
		v.violated(member, *value, "have length less than or equal to %d", maxLength)
	}
}

func (v *validation) streamName(member string, value *string) { v.text(member, value, 64, namePattern) }

// number checks an optional number.
func (v *validation) number(member string, value *int, least, most int) {
	if value == nil {
		return
	}
	if *value < least {
		v.violated(member, strconv.Itoa(*value), "have value greater than or equal to %d", least)
	}
	if *value > most {
		v.violated(member, strconv.Itoa(*value), "have value less than or equal to %d", most)
	}
}

// oneOf checks an optional string.
func (v *validation) oneOf(member string, value *string, set []string) {
	if value == nil {
		return
	}
	for _, s := range set {
		if *value == s {
			return
		}
	}
	v.violated(member, *value, "satisfy enum value set: [%s]", strings.Join(set, ", "))
}

// data checks a record's data. Empty data is allowed, none is not.
func (v *validation) data(member string, value []byte) {
	if value == nil {
		v.missing(member)
	} else if n := len(value); n > maxRecordBytes {
		// AWS shows the Java object that held the data.
		v.violated(member, fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", n, n),
			"have length less than or equal to %d", maxRecordBytes)
	}
}
