package config

import (
	"fmt"
	"math"
	"strconv"
)

// AutoCompression, as a gzip level, leaves it to the load of the processors.
const AutoCompression = 0

// maxPrice is more than anybody asks for a GB, in any currency.
const maxPrice = 1_000_000

func compression(to *int) func([]string) error {
	return one(func(v string) error {
		if v == "auto" {
			*to = AutoCompression
			return nil
		}
		if err := integer(to, 1, 9)([]string{v}); err != nil {
			return fmt.Errorf("%w, or auto", err)
		}
		return nil
	})
}

func price(to *float64) func([]string) error {
	return one(func(v string) error {
		p, err := strconv.ParseFloat(v, 64)
		if err != nil || math.IsNaN(p) || p < 0 || p > maxPrice {
			return fmt.Errorf("%q is not a price: give it like 0.029, or 0 for none", v)
		}
		*to = p
		return nil
	})
}
