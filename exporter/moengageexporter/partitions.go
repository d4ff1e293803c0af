// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"iter"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// usersEvents holds events sorted by user; the events of each user keep their order. Users whose
// events can all share requests with those of other users come first.
type usersEvents struct {
	events []delivery.Event
	// userOf is the number of each event's user. Customers that are merged are one user.
	userOf []int
	// sharedCount is how many of the events may share requests with those of other users.
	sharedCount int
}

// shared returns the events that may share requests.
func (u *usersEvents) shared() []delivery.Event { return u.events[:u.sharedCount] }

// separate yields the other users' events, one user at a time.
func (u *usersEvents) separate() iter.Seq[[]delivery.Event] {
	return func(yield func([]delivery.Event) bool) {
		begin := u.sharedCount
		for at := begin; at < len(u.events); at++ {
			if at+1 < len(u.events) && u.userOf[at+1] == u.userOf[at] {
				continue
			}
			if !yield(u.events[begin : at+1 : at+1]) {
				return
			}
			begin = at + 1
		}
	}
}

// sortByUser returns the events sorted by user. It does not change the slice.
func (b *backend) sortByUser(events []delivery.Event) usersEvents {
	d := userDirectory{numbers: make(map[string]int, len(events))}
	userOf := make([]int, len(events))
	for i := range events {
		userOf[i] = d.find(&events[i])
	}
	separate := make([]bool, len(d.parents)) // by user
	for i := range events {
		userOf[i] = d.root(userOf[i])
		separate[userOf[i]] = separate[userOf[i]] || b.standsAlone(&events[i])
	}
	return sortEvents(events, userOf, separate)
}

// sortEvents is a stable counting sort.
func sortEvents(events []delivery.Event, userOf []int, separate []bool) usersEvents {
	count := make([]int, len(separate))
	for _, user := range userOf {
		count[user]++
	}
	u := usersEvents{events: make([]delivery.Event, len(events)), userOf: make([]int, len(events))}
	place, next := make([]int, len(separate)), 0
	for _, pass := range [...]bool{false, true} {
		if pass {
			u.sharedCount = next
		}
		for user, n := range count {
			if separate[user] == pass {
				place[user] = next
				next += n
			}
		}
	}
	for i, user := range userOf {
		u.events[place[user]], u.userOf[place[user]] = events[i], user
		place[user]++
	}
	return u
}

// mergeSeparator separates the customers of a merge. Customer IDs do not contain it.
const mergeSeparator = "\x00"

// mergeDestination returns the destination of a merge.
func mergeDestination(retained, merged string) string { return retained + mergeSeparator + merged }

// userDirectory numbers users. It is a union-find over customer IDs; a merge unites two.
type userDirectory struct {
	numbers map[string]int // by customer ID
	parents []int          // by number; a user's own number unless united with another
}

// find returns the number of an event's user. For a merge, it unites both users, so that root
// returns the same number for them.
func (d *userDirectory) find(e *delivery.Event) int {
	if e.Category != categories[kindMerge] {
		return d.number(e.Destination)
	}
	retained, merged, _ := strings.Cut(e.Destination, mergeSeparator)
	a, b := d.root(d.number(retained)), d.root(d.number(merged))
	d.parents[max(a, b)] = min(a, b)
	return a
}

func (d *userDirectory) number(customer string) int {
	number, ok := d.numbers[customer]
	if !ok {
		number = len(d.parents)
		d.numbers[customer] = number
		d.parents = append(d.parents, number)
	}
	return number
}

func (d *userDirectory) root(number int) int {
	for d.parents[number] != number {
		d.parents[number] = d.parents[d.parents[number]]
		number = d.parents[number]
	}
	return number
}
