package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// Longer texts are told by their digest.
const longestText = 300

// digest returns a short text that differs when the value differs.
func digest(value interface{}) string {
	text := strings.NewReplacer("\n", `\n`, directory, "DIR").Replace(fmt.Sprint(value))
	if len(text) <= longestText {
		return text
	}
	return fmt.Sprintf("%d bytes, %x", len(text), sha256.Sum256([]byte(text)))[:40]
}

// check runs one check and prints its line.
func check(name string, run func() (interface{}, error)) {
	value, err := run()
	if err != nil {
		fmt.Fprintf(os.Stdout, "%s: error %s\n", name, digest(err))
		return
	}
	fmt.Fprintf(os.Stdout, "%s: ok %s\n", name, digest(value))
}

// list is what a check saw, in order.
type list []interface{}

// outcome is a value, or the error that was there instead.
func outcome(value interface{}, err error) interface{} {
	if err != nil {
		return "failed: " + err.Error()
	}
	return value
}
