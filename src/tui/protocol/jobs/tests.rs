use super::*;
use crate::tui::testing::fixed_time;

fn order(title: &str) -> JobOrder {
    let result = Some(JobResult::DataSet("/data".into()));
    JobOrder { title: title.to_owned(), work: JobWork::Audit, arguments: Vec::new(), result, rehearsed: None }
}

fn exit(code: i32) -> JobExit {
    JobExit { at: fixed_time(), code: Some(code), text: format!("exit status {code}"), was_stopped: false }
}

fn active(list: &JobList) -> usize {
    list.iter().filter(|job| job.is_active()).count()
}

#[test]
fn the_state_follows_the_messages() {
    let (mut list, now) = (JobList::default(), fixed_time());
    let id = list.add(order("predict /data"), now);
    assert_eq!((active(&list), list.status_text().as_str()), (1, "predict running"));
    list.take(JobMessage::Started { id, pid: 7 }, now);
    list.take(JobMessage::Progress { id, text: "CC_R ███░ 12/60 images".to_owned() }, now);
    assert_eq!(list.status_text(), "predict 12/60");
    list.stop(id, now);
    assert_eq!(list.status_text(), "predict stopping");
    list.take(JobMessage::Line { id, text: "wrote 12 images".to_owned() }, now);
    let ended = list.take(JobMessage::Ended { id, outcome: Ok(exit(130)) }, now).unwrap();
    let JobState::Ended { end, .. } = &ended.state else { panic!("{ended:?}") };
    assert_eq!(end, &JobEnd::Stopped("exit status 130".to_owned()));
    assert_eq!((ended.summary(), ended.result()), ("wrote 12 images", None), "what was stopped has no result");
    assert_eq!((active(&list), list.status_text().as_str()), (0, ""));
}

#[test]
fn only_a_successful_job_has_a_result() {
    let (mut list, now) = (JobList::default(), fixed_time());
    let [first, second] = ["phantom a", "phantom b"].map(|title| list.add(order(title), now));
    assert_eq!(list.status_text(), "2 jobs running");
    list.take(JobMessage::Ended { id: first, outcome: Ok(exit(0)) }, now);
    list.take(JobMessage::Ended { id: second, outcome: Ok(exit(1)) }, now);
    assert!(list.get(first).unwrap().result().is_some() && list.get(second).unwrap().result().is_none());
    assert_eq!(list.iter().map(|job| job.id).collect::<Vec<_>>(), [second, first], "the newest first");
}

#[test]
fn findings_are_not_a_failure() {
    let (mut list, now) = (JobList::default(), fixed_time());
    let end_of = |list: &mut JobList, line: &str| {
        let id = list.add(order("audit /data"), now);
        list.take(JobMessage::Line { id, text: line.to_owned() }, now);
        list.take(JobMessage::Ended { id, outcome: Ok(exit(1)) }, now).cloned().unwrap()
    };
    let found = end_of(&mut list, "/data: 60 images of 15 subjects, 3 errors, 11 warnings");
    let text = "14 findings: 3 errors, 11 warnings";
    assert_eq!(found.state, JobState::Ended { at: now, end: JobEnd::Findings(text.to_owned()) });
    assert_eq!((found.summary(), found.result().is_some()), (text, true), "it did its work");
    let failed = end_of(&mut list, "error: /data: Permission denied");
    assert_eq!(failed.state, JobState::Ended { at: now, end: JobEnd::Failed("exit status 1".to_owned()) });
}

#[test]
fn old_lines_are_dropped() {
    let (mut list, now) = (JobList::default(), fixed_time());
    let id = list.add(order("audit /data"), now);
    for number in 0..MAX_LINES + 3 {
        list.take(JobMessage::Line { id, text: number.to_string() }, now);
    }
    let lines = &list.get(id).unwrap().lines;
    assert_eq!((lines.len(), lines.front().map(String::as_str)), (MAX_LINES, Some("3")));
}

#[test]
fn earlier_jobs_take_their_place_by_their_start() {
    let (mut list, now) = (JobList::default(), fixed_time());
    let [first, second] = [30, 10].map(|ago| list.add(order("audit /data"), now - TimeDelta::seconds(ago)));
    let found = |ago: i64, ended: Option<JobExit>| {
        let rehearsed = Some(Box::new(order("submit")));
        let order = JobOrder { rehearsed, ..order("predict /data") };
        let folder = JobFolder::new("/ws/jobs/1".into());
        let lines = vec!["wrote 12 images".to_owned()];
        FoundJob { folder, order, started: now - TimeDelta::seconds(ago), ended, lines }
    };
    let at_work = list.add_found(found(20, None)).unwrap();
    assert_eq!(list.iter().map(|job| job.id).collect::<Vec<_>>(), [second, at_work, first]);
    assert!(list.get(at_work).unwrap().order.rehearsed.is_some(), "its plan is still being made");
    list.take(JobMessage::Started { id: at_work, pid: 7 }, now);
    assert_eq!(list.get(at_work).unwrap().state, JobState::Running { pid: Some(7) });

    let end = JobExit { at: now - TimeDelta::seconds(40), ..exit(0) };
    assert_eq!(list.add_found(found(50, Some(end))), None, "there is nothing to follow");
    let ended = list.iter().last().unwrap();
    assert_eq!((ended.summary(), ended.age(now).num_seconds()), ("wrote 12 images", 10));
    assert_eq!((ended.result().is_some(), &ended.order.rehearsed), (true, &None), "a plan of another day");
    let end = JobExit { was_stopped: true, ..exit(130) };
    list.add_found(found(60, Some(end)));
    let JobState::Ended { end, .. } = &list.iter().last().unwrap().state else { panic!() };
    assert_eq!(end, &JobEnd::Stopped("exit status 130".to_owned()), "it was stopped in an earlier session");
}

#[test]
fn what_goes_on_is_counted() {
    assert_eq!(going_on(0, 0), None);
    assert_eq!(going_on(1, 0), Some(("1 run".to_owned(), false)));
    assert_eq!(going_on(1, 2), Some(("1 run and 2 jobs".to_owned(), true)));
}
