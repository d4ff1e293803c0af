// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

// Failed returns how many cases do not hold.
func Failed(outcomes []Outcome) int {
	n := 0
	for i := range outcomes {
		if len(outcomes[i].Failures) > 0 {
			n++
		}
	}
	return n
}

// WriteText prints outcomes for a person.
func WriteText(w io.Writer, outcomes []Outcome) error {
	var b strings.Builder
	for i := range outcomes {
		o := &outcomes[i]
		if len(o.Failures) == 0 {
			fmt.Fprintf(&b, "ok    %s\n", inOneLine(o.Name))
			continue
		}
		fmt.Fprintf(&b, "FAIL  %s (%s)\n", inOneLine(o.Name), o.Place)
		for _, failure := range o.Failures {
			b.WriteString("      " + strings.ReplaceAll(failure, "\n", "\n        ") + "\n")
		}
	}
	fmt.Fprintf(&b, "%d of %d cases passed\n", len(outcomes)-Failed(outcomes), len(outcomes))
	_, err := io.WriteString(w, explain.Visible(b.String()))
	return err
}

// inOneLine returns a name with spaces in the place of line breaks.
func inOneLine(name string) string { return strings.Join(strings.Fields(name), " ") }

// The elements of JUnit's XML that CI systems read.
type (
	suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []suite  `xml:"testsuite"`
	}
	suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	testcase struct {
		Name      string   `xml:"name,attr"`
		Classname string   `xml:"classname,attr"`
		Time      string   `xml:"time,attr"`
		Failure   *failure `xml:"failure"`
	}
	failure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes outcomes as JUnit XML. name is that of the suite.
func WriteJUnit(w io.Writer, name string, outcomes []Outcome) error {
	s := suite{Name: name, Tests: len(outcomes), Failures: Failed(outcomes)}
	var total time.Duration
	for i := range outcomes {
		o := &outcomes[i]
		total += o.Took
		c := testcase{Name: o.Name, Classname: name, Time: seconds(o.Took)}
		if len(o.Failures) > 0 {
			first, _, _ := strings.Cut(o.Failures[0], "\n")
			c.Failure = &failure{Message: first, Text: strings.Join(slices.Concat([]string{o.Place}, o.Failures), "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = seconds(total)
	text, err := xml.MarshalIndent(suites{Suites: []suite{s}}, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
