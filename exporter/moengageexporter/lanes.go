// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"iter"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// users is events sorted by user, each user's in their order. Users of whom all events may share requests come first.
type users struct {
	events []delivery.Event
	// group is the number of the user of each event. Customers that are merged are one user.
	group []int
	// together is how many of the events may share requests.
	together int
}

// shared are the events that may share requests.
func (u *users) shared() []delivery.Event { return u.events[:u.together] }

// apart yields the events of each other user.
func (u *users) apart() iter.Seq[[]delivery.Event] {
	return func(yield func([]delivery.Event) bool) {
		begin := u.together
		for at := begin; at < len(u.events); at++ {
			if at+1 < len(u.events) && u.group[at+1] == u.group[at] {
				continue
			}
			if !yield(u.events[begin : at+1 : at+1]) {
				return
			}
			begin = at + 1
		}
	}
}

// byUser sorts events.
func (b *backend) byUser(events []delivery.Event) users {
	d := directory{numbers: make(map[string]int, len(events))}
	of := make([]int, len(events))
	for i := range events {
		of[i] = d.find(&events[i])
	}
	alone := make([]bool, len(d.parents)) // whether the user needs requests of their own
	for i := range events {
		of[i] = d.root(of[i])
		alone[of[i]] = alone[of[i]] || b.standsAlone(&events[i])
	}
	return sortBy(events, of, alone)
}

// sortBy is a counting sort.
func sortBy(events []delivery.Event, of []int, alone []bool) users {
	count := make([]int, len(alone))
	for _, user := range of {
		count[user]++
	}
	u := users{events: make([]delivery.Event, len(events)), group: make([]int, len(events))}
	place, next := make([]int, len(alone)), 0
	for _, apart := range [...]bool{false, true} {
		if apart {
			u.together = next
		}
		for user, n := range count {
			if alone[user] == apart {
				place[user] = next
				next += n
			}
		}
	}
	for i, user := range of {
		u.events[place[user]], u.group[place[user]] = events[i], user
		place[user]++
	}
	return u
}

// separator stands between the customers of a merge.
const separator = "\x00"

// both is the destination of a merge.
func both(retained, merged string) string { return retained + separator + merged }

// directory numbers users. The strings are views of payloads, and so is it.
type directory struct {
	numbers map[string]int // by customer id
	parents []int          // of those that are one user, but for one of them
}

// find is the number of the user of an event, which may be another one's after a merge.
func (d *directory) find(e *delivery.Event) int {
	if e.Category != categories[kindMerge] {
		return d.number(e.Destination)
	}
	retained, merged, _ := strings.Cut(e.Destination, separator)
	a, b := d.root(d.number(retained)), d.root(d.number(merged))
	d.parents[max(a, b)] = min(a, b)
	return a
}

func (d *directory) number(customer string) int {
	number, ok := d.numbers[customer]
	if !ok {
		number = len(d.parents)
		d.numbers[customer] = number
		d.parents = append(d.parents, number)
	}
	return number
}

func (d *directory) root(number int) int {
	for d.parents[number] != number {
		d.parents[number] = d.parents[d.parents[number]]
		number = d.parents[number]
	}
	return number
}
