//! Objects within a body, alone or in a list, each read as a body is.

use std::convert::Infallible;
use std::ops::RangeInclusive;

use lyceum_contracts::problem::Fault;
use serde_json::Value;

use super::{Fields, FromFields, escape};

impl Fields {
    /// An object that must be there. Its faults are named with its place.
    pub fn object<T: FromFields>(&mut self, name: &str) -> Option<T> {
        let value = self.required(name, Ok::<Value, Infallible>)?;
        let place = format!("{}{}", self.place, escape(name));
        match self.item(place, value) {
            Ok(object) => Some(object),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// A list of objects that must be there, each read as a body is. Faults of all objects are
    /// named with their places; a list that is too short or too long is not looked into.
    pub fn list<T: FromFields>(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Option<Vec<T>> {
        let items = self.items(name, length)?;
        // What an item lacks is among the faults of the request, which is refused for it.
        items.into_iter().collect::<Result<_, _>>().ok()
    }

    /// As [`Self::list`], for requests whose items succeed and fail one by one: each is handed
    /// out with its own faults, whose pointers begin at the body all the same.
    pub fn items<T: FromFields>(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Option<Vec<Result<T, Vec<Fault>>>> {
        let values = self.required(name, Ok::<Vec<Value>, Infallible>)?;
        if !length.contains(&values.len()) {
            let (least, most) = length.into_inner();
            self.fault(
                name,
                "out_of_range",
                format!("must have from {least} to {most} items"),
            );
            return None;
        }
        let place = format!("{}{}", self.place, escape(name));
        let mut items = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let item = self.item(format!("{place}/{index}"), value);
            if let Err(faults) = &item {
                self.of_items.extend_from_slice(faults);
            }
            items.push(item);
        }
        Some(items)
    }

    fn item<T: FromFields>(&self, place: String, value: Value) -> Result<T, Vec<Fault>> {
        let Value::Object(values) = value else {
            return Err(vec![Fault {
                pointer: format!("#/{place}"),
                detail: "must be an object".to_owned(),
                code: "wrong_type".to_owned(),
            }]);
        };
        let item = Self {
            values,
            origin: self.origin,
            place: place + "/",
            faults: Vec::new(),
            of_items: Vec::new(),
            list: None,
        };
        item.read()
    }
}
