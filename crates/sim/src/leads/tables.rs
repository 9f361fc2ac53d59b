//! Names, places and words that leads are made of. Must never name a real person.

/// A place whose region, postal codes and telephone area belong together.
#[derive(Debug)]
pub(super) struct Place {
    /// A province, or a state's two letters.
    pub(super) region: &'static str,
    pub(super) city: &'static str,
    /// The first digits of its postal codes; two more follow.
    pub(super) postal: &'static str,
    /// Its area code; empty where mobiles have none.
    pub(super) area: &'static str,
    pub(super) country: &'static str,
}

const fn place(
    region: &'static str,
    city: &'static str,
    postal: &'static str,
    area: &'static str,
    country: &'static str,
) -> Place {
    Place { region, city, postal, area, country }
}

pub(super) const SPAIN: &[Place] = &[
    place("Madrid", "Madrid", "280", "", "ES"),
    place("Madrid", "Getafe", "289", "", "ES"),
    place("Barcelona", "Barcelona", "080", "", "ES"),
    place("Barcelona", "Terrassa", "082", "", "ES"),
    place("Girona", "Girona", "170", "", "ES"),
    place("Valencia", "Valencia", "460", "", "ES"),
    place("Sevilla", "Sevilla", "410", "", "ES"),
    place("Zaragoza", "Zaragoza", "500", "", "ES"),
    place("Málaga", "Málaga", "290", "", "ES"),
    place("Alicante", "Alicante", "030", "", "ES"),
    place("Murcia", "Murcia", "300", "", "ES"),
    place("Bizkaia", "Bilbao", "480", "", "ES"),
];

pub(super) const NOT_SPAIN: &[Place] = &[
    place("Lisboa", "Lisboa", "10", "", "PT"),
    place("Paris", "Paris", "750", "", "FR"),
    place("Lazio", "Roma", "001", "", "IT"),
];

pub(super) const STATES: &[Place] = &[
    place("TX", "Houston", "770", "713", "US"),
    place("TX", "Dallas", "752", "214", "US"),
    place("FL", "Miami", "331", "305", "US"),
    place("FL", "Orlando", "328", "407", "US"),
    place("NY", "New York", "100", "212", "US"),
    place("GA", "Atlanta", "303", "404", "US"),
    place("OH", "Columbus", "432", "614", "US"),
    place("PA", "Philadelphia", "191", "215", "US"),
    place("NC", "Charlotte", "282", "704", "US"),
    place("AZ", "Phoenix", "850", "602", "US"),
    place("NV", "Las Vegas", "891", "702", "US"),
    place("MI", "Detroit", "482", "313", "US"),
];

pub(super) const RUSSIA: &[Place] = &[
    place("Тверская", "Тверь", "1700", "901", "RU"),
    place("Самарская", "Самара", "4430", "902", "RU"),
    place("Свердловская", "Екатеринбург", "6200", "904", "RU"),
    place("Новосибирская", "Новосибирск", "6300", "905", "RU"),
    place("Татарстан", "Казань", "4200", "906", "RU"),
    place("Москва", "Москва", "1010", "909", "RU"),
    place("Санкт-Петербург", "Санкт-Петербург", "1900", "911", "RU"),
];

pub(super) const NOT_RUSSIA: &[Place] = &[place("Алматы", "Алматы", "0500", "701", "KZ")];

/// States that `debt-sub10k-us` does not take.
pub(super) const EXCLUDED_STATES: &[Place] = &[
    place("AK", "Anchorage", "995", "907", "US"),
    place("CA", "Los Angeles", "900", "310", "US"),
    place("HI", "Honolulu", "968", "808", "US"),
    place("ID", "Boise", "837", "208", "US"),
    place("KS", "Wichita", "672", "316", "US"),
    place("ME", "Portland", "041", "207", "US"),
    place("OR", "Portland", "972", "503", "US"),
    place("WA", "Seattle", "981", "206", "US"),
];

pub(super) const NOT_STATES: &[Place] = &[
    place("ON", "Toronto", "M4B1A", "416", "CA"),
    place("Nuevo León", "Monterrey", "640", "212", "MX"),
];

/// Given names with the gender that Leadhub asks for, and how they read in an e-mail address.
pub(super) const FIRST_ES: &[(&str, &str, &str)] = &[
    ("Lucía", "lucia", "female"),
    ("María", "maria", "female"),
    ("Carmen", "carmen", "female"),
    ("Elena", "elena", "female"),
    ("Marta", "marta", "female"),
    ("Núria", "nuria", "female"),
    ("Paula", "paula", "female"),
    ("Rocío", "rocio", "female"),
    ("Alejandro", "alejandro", "male"),
    ("Javier", "javier", "male"),
    ("Sergio", "sergio", "male"),
    ("Íñigo", "inigo", "male"),
    ("Jordi", "jordi", "male"),
    ("Pablo", "pablo", "male"),
    ("Andrés", "andres", "male"),
    ("Rubén", "ruben", "male"),
];

/// Family names, and how they read in an e-mail address.
pub(super) const LAST_ES: &[(&str, &str)] = &[
    ("Ferrer", "ferrer"),
    ("García", "garcia"),
    ("Martínez", "martinez"),
    ("López", "lopez"),
    ("Sánchez", "sanchez"),
    ("Pérez", "perez"),
    ("Muñoz", "munoz"),
    ("Romero", "romero"),
    ("Navarro", "navarro"),
    ("Torres", "torres"),
    ("Vidal", "vidal"),
    ("Serra", "serra"),
    ("Ortega", "ortega"),
    ("Iglesias", "iglesias"),
];

pub(super) const FIRST_US: &[(&str, &str, &str)] = &[
    ("Ashley", "ashley", "female"),
    ("Emily", "emily", "female"),
    ("Jasmine", "jasmine", "female"),
    ("Karen", "karen", "female"),
    ("Linda", "linda", "female"),
    ("Megan", "megan", "female"),
    ("Brandon", "brandon", "male"),
    ("Carlos", "carlos", "male"),
    ("David", "david", "male"),
    ("James", "james", "male"),
    ("Marcus", "marcus", "male"),
    ("Tyler", "tyler", "male"),
];

pub(super) const LAST_US: &[(&str, &str)] = &[
    ("Anderson", "anderson"),
    ("Brooks", "brooks"),
    ("Carter", "carter"),
    ("Davis", "davis"),
    ("Gonzalez", "gonzalez"),
    ("Johnson", "johnson"),
    ("Miller", "miller"),
    ("O'Brien", "obrien"),
    ("Parker", "parker"),
    ("Robinson", "robinson"),
    ("Nguyen", "nguyen"),
    ("Walker", "walker"),
];

pub(super) const FIRST_RU: &[(&str, &str, &str)] = &[
    ("Анна", "anna", "female"),
    ("Вера", "vera", "female"),
    ("Дарья", "darya", "female"),
    ("Ольга", "olga", "female"),
    ("Тамара", "tamara", "female"),
    ("Антон", "anton", "male"),
    ("Глеб", "gleb", "male"),
    ("Денис", "denis", "male"),
    ("Олег", "oleg", "male"),
    ("Тимур", "timur", "male"),
];

/// The same for men and women.
pub(super) const LAST_RU: &[(&str, &str)] = &[
    ("Бондаренко", "bondarenko"),
    ("Долгих", "dolgikh"),
    ("Живаго", "zhivago"),
    ("Коваленко", "kovalenko"),
    ("Седых", "sedykh"),
    ("Тимошенко", "timoshenko"),
    ("Черных", "chernykh"),
    ("Шевченко", "shevchenko"),
];

/// A man's and a woman's, from one father's name.
pub(super) const PATRONYMICS: &[(&str, &str)] = &[
    ("Андреевич", "Андреевна"),
    ("Ильич", "Ильинична"),
    ("Олегович", "Олеговна"),
    ("Петрович", "Петровна"),
    ("Сергеевич", "Сергеевна"),
];

pub(super) const STREETS_ES: &[&str] =
    &["Calle Mayor", "Calle Nueva", "Avenida de la Paz", "Carrer Nou", "Plaza del Ejemplo"];
pub(super) const STREETS_US: &[&str] =
    &["Example Ave", "Sample St", "Happy Lane", "Placeholder Rd", "Fiction Blvd"];
pub(super) const STREETS_RU: &[&str] = &["Новая", "Лесная", "Садовая", "Примерная"];

pub(super) const PURPOSES: &[&str] = &[
    "home_improvement",
    "debt_consolidation",
    "vehicle_purchase",
    "education",
    "medical",
    "travel",
    "moving",
    "appliances",
    "emergency",
    "other",
];

/// Employment for those of working age.
pub(super) const EMPLOYMENT: &[&str] = &[
    "employed",
    "employed",
    "permanent_employee",
    "permanent_employee",
    "temporary_employee",
    "self_employed",
    "civil_servant",
    "unemployed",
];

pub(super) const DEBT_TYPES: &[&str] =
    &["Credit Cards", "Medical Bills", "Personal Loans", "Store Cards"];
pub(super) const PAY_FREQUENCIES: &[&str] = &["weekly", "biweekly", "semimonthly", "monthly"];
pub(super) const TERMS: &[u32] = &[6, 9, 12, 18, 24, 36, 48, 60];
pub(super) const CHANNELS: &[&str] = &["fb-17", "google-brand", "tiktok-03", "seo", "email-july"];
pub(super) const EMAIL_DOMAINS: &[&str] = &["example.org", "example.com", "example.net"];
/// The documentation ranges of RFC 5737.
pub(super) const NETWORKS: &[&str] = &["192.0.2", "198.51.100", "203.0.113"];
