package syslog

// month returns the number of the English month whose name begins at b[i], in
// any case, or 0.
func month(b []byte, i int) int8 {
	if i+3 > len(b) {
		return 0
	}
	name := uint32(b[i]|0x20)<<16 | uint32(b[i+1]|0x20)<<8 | uint32(b[i+2]|0x20)
	if m := months[monthSlot(name)]; m>>8 == name {
		return int8(m)
	}
	return 0
}

// monthSlot is different for each of the twelve names.
func monthSlot(name uint32) uint32 { return (name>>8 + 17*name) % 32 }

// months holds name and number of each month in its slot, because a chain of
// comparisons costs as much as all the rest of a date.
var months = func() (t [32]uint32) {
	for i, n := range [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"} {
		name := uint32(n[0])<<16 | uint32(n[1])<<8 | uint32(n[2])
		t[monthSlot(name)] = name<<8 | uint32(i+1)
	}
	return t
}()

// daysIn holds the days of each month, February with its leap day.
var daysIn = [13]int8{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// date sets the date if there is such a day.
func (t *stamp) date(year int, month, day int8) bool {
	if month < 1 || month > 12 || day < 1 || day > daysIn[month] {
		return false
	}
	if month == 2 && day == 29 && year != 0 && !leap(int64(year)) {
		return false
	}
	t.year, t.month, t.day = int32(year), month, day
	return true
}

func leap(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// daysOf returns the days of a year.
func daysOf(year int64) int64 {
	if leap(year) {
		return 366
	}
	return 365
}

// dayOfYear counts the days before a date in its year.
func dayOfYear(year int64, month, day int8) int64 {
	days := int64(daysBefore[month]) + int64(day) - 1
	if month > 2 && leap(year) {
		days++
	}
	return days
}

// daysBefore holds the days of a common year before each month.
var daysBefore = [13]int16{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

// daysToYear counts the days from 1970 to the first of a year from 1 on.
func daysToYear(year int64) int64 {
	y := uint64(year - 1)
	return int64(365*y+y/4-y/100+y/400) - 719162
}

// civil returns the date of a day, counted from 1970, in the Gregorian calendar.
// It counts in years that begin in March, so that the leap day is the last
// (howardhinnant.github.io/date_algorithms.html).
func civil(days int64) (year int64, month, day int) {
	era, dayOfEra := floorDiv(days+719468, 146097)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	day = int(dayOfYear - (153*m+2)/5 + 1)
	month = int((m+2)%12 + 1)
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}
